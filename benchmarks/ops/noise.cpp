// bench_ops_noise: our noise against LibTorch's own, in turns in one run.
#include "ops/noise.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

namespace {

double seconds(const std::function<void()>& body) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

void compare(const char* name, const std::function<void()>& ours, const std::function<void()>& theirs) {
    std::vector<double> our_times;
    std::vector<double> their_times;
    std::vector<double> ratios;
    for (int i = 0; i < 31; ++i) {
        our_times.push_back(seconds(ours));
        their_times.push_back(seconds(theirs));
        ratios.push_back(their_times.back() / our_times.back());
    }
    std::printf("%-40s ours %8.3f ms  LibTorch %8.3f ms  ratio %5.2f\n", name, median(our_times) * 1e3,
                median(their_times) * 1e3, median(ratios));
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    const omnisync::ops::NoiseKey key{.seed = 1};
    const at::Tensor source = at::randn({20, 48, 32, 32});  // X-Dub's latents of a 77-frame window at 512 x 512
    const at::Tensor out = at::empty_like(source);
    for (const int threads : {1, 2}) {
        at::set_num_threads(threads);
        std::printf("%d thread(s), %lld float32 values\n", at::get_num_threads(), static_cast<long long>(out.numel()));
        compare(
            "noise", [&] { omnisync::ops::fill_noise(out, 0, key); }, [&] { out.normal_(); });
        compare(
            "start from source", [&] { omnisync::ops::start_from_source(out, source, 0, key, 0.92F); },
            [&] { out.normal_().mul_(0.92F).add_(source, 0.08F); });
    }
}
