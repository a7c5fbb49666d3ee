#include "core/cuda_module.h"

#include "base/module.h"
#include "omnisync/error.h"

namespace omnisync {
namespace {

const kernels::CudaTable* load_table(const std::filesystem::path& folder) {
    const Module file("libomnisync_cuda.so", {folder});
    const kernels::CudaTable* table = file.function<kernels::CudaTableEntry>(kernels::kCudaTableEntry)();
    require(table->version == kernels::kCudaTableVersion && table->bytes == sizeof(kernels::CudaTable),
            ExitCode::unavailable, "'", file.path().string(), "' belongs to another version of omnisync");
    return table;
}

void require_success(const kernels::CudaTable& table, int status, ExitCode code) {
    require(status == 0, code, table.last_error());
}

std::vector<CudaDeviceInfo> list_devices(const kernels::CudaTable& table) {
    std::int32_t count = 0;
    require_success(table, table.device_count(&count), ExitCode::unavailable);
    std::vector<CudaDeviceInfo> devices;
    for (std::int32_t i = 0; i < count; ++i) {
        kernels::CudaTableDevice device{};
        require_success(table, table.device(i, &device), ExitCode::unavailable);
        devices.push_back({device.name, device.memory_bytes, device.sm});
    }
    return devices;
}

}  // namespace

void CudaModule::check(int status) const {
    require_success(*table_, status, ExitCode::internal);
}

CudaAccess open_cuda(const std::filesystem::path& folder) {
    std::error_code error;
    if (!std::filesystem::exists(folder / "libomnisync_cuda.so", error))
        return {std::nullopt, "built without CUDA (libomnisync_cuda.so is not in '" + folder.string() + "')"};
    try {
        const kernels::CudaTable* table = load_table(folder);
        std::vector<CudaDeviceInfo> devices = list_devices(*table);
        if (devices.empty()) return {std::nullopt, "the CUDA driver finds no device"};
        return {CudaModule(table, std::move(devices)), {}};
    } catch (const Error& problem) {  // a machine without a device is an ordinary machine
        return {std::nullopt, problem.what()};
    }
}

const CudaAccess& cuda() {
    static const CudaAccess access = open_cuda(folder_of_base_library());
    return access;
}

}  // namespace omnisync
