#include "core/compute.h"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/_int_mm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>
#include <strings.h>
#include <torch/headeronly/version.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <functional>

#include "core/cuda_module.h"
#include "kernels/simd.h"

namespace omnisync {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// A linear layer of a small transformer: large enough for full speed, small enough for a slow machine.
constexpr std::int64_t kRows = 1024;
constexpr std::int64_t kInner = 768;
constexpr std::int64_t kColumns = 768;
constexpr double kSeconds = 0.4;

// bf16 must beat fp32 by this much to be worth its rounding.
constexpr double kWorthwhile = 1.2;

struct Product {
    const char* precision;
    std::function<void()> multiply;
    double best_s = 0;
    std::string unavailable{};

    void warm_up() {  // oneDNN compiles its kernel in the first call
        try {
            multiply();
            best_s = 1e30;
        } catch (const c10::Error& error) {  // LibTorch has no such product on this CPU
            unavailable = error.what_without_backtrace();
        }
    }
    void time_once() {
        if (!unavailable.empty()) return;
        const auto start = Clock::now();
        multiply();
        best_s = std::min(best_s, seconds_since(start));
    }
    [[nodiscard]] GemmSpeed speed() const {
        constexpr double kGigaOperations = 2e-9 * kRows * kInner * kColumns;
        return {precision, unavailable.empty() ? kGigaOperations / best_s : 0, unavailable};
    }
};

std::vector<GemmSpeed> measure_products() {
    const c10::InferenceMode inference;
    const at::Tensor rows = at::randn({kRows, kInner});
    const at::Tensor weights = at::randn({kColumns, kInner});
    const at::Tensor rows_bf16 = rows.to(at::kBFloat16);
    const at::Tensor weights_bf16 = weights.to(at::kBFloat16);
    const at::Tensor rows_int8 = at::randint(-127, 128, {kRows, kInner}, at::kChar);
    const at::Tensor weights_int8 = at::randint(-127, 128, {kColumns, kInner}, at::kChar).t();
    std::array<Product, 3> products{{{"fp32", [&] { at::linear(rows, weights); }},
                                     {"bf16", [&] { at::linear(rows_bf16, weights_bf16); }},
                                     {"int8", [&] { at::_int_mm(rows_int8, weights_int8); }}}};
    for (Product& product : products) product.warm_up();
    const auto begin = Clock::now();
    do {  // in turns, so that a busy moment of the machine hits all alike
        for (Product& product : products) product.time_once();
    } while (seconds_since(begin) < kSeconds);
    return {products[0].speed(), products[1].speed(), products[2].speed()};
}

std::string choose_precision(const std::vector<GemmSpeed>& speeds) {
    return speeds[1].giga_per_s > kWorthwhile * speeds[0].giga_per_s ? "bf16" : "fp32";
}

std::vector<std::string> find_problems() {
    std::vector<std::string> warnings;
    const char* policy = std::getenv("OMP_WAIT_POLICY");
    if (policy == nullptr || strcasecmp(policy, "passive") != 0)
        warnings.push_back(
            "OMP_WAIT_POLICY is not 'passive': while anything else runs, operations on several threads may take 20 "
            "times "
            "longer; set it before the program starts");
    return warnings;
}

}  // namespace

ComputeInfo describe_compute() {
    ComputeInfo info;
    info.libtorch = TORCH_VERSION;
    info.threads = at::get_num_threads();
    info.cpu_capability = at::get_cpu_capability();
    info.kernels_simd = kernels::name(kernels::best_simd());
    info.gemm = measure_products();
    info.precision = choose_precision(info.gemm);
    info.warnings = find_problems();
    const CudaAccess& access = cuda();
    if (access.module) info.cuda_devices = access.module->devices();
    info.cuda_absent = access.absent;
    return info;
}

}  // namespace omnisync
