// bench_ops_noise: our noise against LibTorch's own, in turns in one run.
#include "ops/noise.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/randn.h>
#include <c10/core/InferenceMode.h>

#include "omnisync/error.h"
#include "turns.h"

int main() {
    const c10::InferenceMode inference;
    const omnisync::ops::NoiseKey key{.seed = 1};
    const at::Tensor source = at::randn({20, 48, 32, 32});  // X-Dub's latents of a 77-frame window at 512 x 512
    const at::Tensor out = at::empty_like(source);
    omnisync::bench::on_one_and_two_threads(omnisync::concat(", ", out.numel(), " float32 values"), [&] {
        omnisync::bench::compare(
            "noise", 0, [&] { omnisync::ops::fill_noise(out, 0, key); }, [&] { out.normal_(); });
        omnisync::bench::compare(
            "start from source", 0, [&] { omnisync::ops::start_from_source(out, source, 0, key, 0.92F); },
            [&] { out.normal_().mul_(0.92F).add_(source, 0.08F); });
    });
}
