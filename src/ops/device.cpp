#include "ops/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

#include <algorithm>
#include <filesystem>

#include "base/module.h"
#include "omnisync/error.h"

namespace omnisync::ops {
namespace {

/// Beside libtorch_cpu.so, where `tools/bootstrap --cuda` puts it.
std::filesystem::path folder_of_libtorch() {
    Dl_info info{};
    const auto* const inside = reinterpret_cast<const void*>(&at::globalContext);
    require(::dladdr(inside, &info) != 0 && info.dli_fname != nullptr, ExitCode::internal, "LibTorch has no place");
    return std::filesystem::path(info.dli_fname).parent_path();
}

void load_cuda_half() {
    static const Module library("libtorch_cuda.so", {folder_of_libtorch()});
}

}  // namespace

c10::Device open_device(const std::string& name) {
    if (name == "cpu") return c10::kCPU;
    try {
        load_cuda_half();
    } catch (const Error& error) {
        throw Error(ExitCode::unavailable, concat("LibTorch's CUDA libraries are not here: ", error.what()),
                    "tools/bootstrap --cuda fetches them; or compute with --device cpu");
    }
    const c10::Device device(name);
    const int count = at::detail::getCUDAHooks().deviceCount();
    require(std::max<int>(device.index(), 0) < count, ExitCode::unavailable, "there is no device ", name,
            ": LibTorch finds ", count);
    return device;
}

}  // namespace omnisync::ops
