// bench_ops_render_net: the portable render net's whole forward as inference runs it against the very same net by
// LibTorch's operations one by one, in turns in one run.
#include "engines/portable/render_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <cstdio>

#include "benchmarks/ops/turns.h"
#include "omnisync/error.h"
#include "tests/support/render_net.h"

using namespace omnisync;

int main() {
    const c10::InferenceMode inference;
    weights::Parameters parameters = weights::Parameters::fresh(1);
    const portable::RenderNet plain{weights::Scope(parameters)};
    test::roughen(parameters, 0.02);
    portable::RenderNet fixed = plain;
    fixed.fix();
    portable::RenderNet rounded = plain;
    rounded.fix(ops::Rounding::int8);
    for (const int threads : {1, 2}) {
        at::set_num_threads(threads);
        for (const std::int64_t batch : {1, 8}) {
            const portable::RenderCondition condition = test::random_condition(batch);
            const at::Tensor noisy = test::random_windows(batch, 3);
            const at::Tensor level = at::ones({batch}) * 0.92;
            const at::Tensor known = at::ones({batch});
            at::Tensor ours;
            at::Tensor theirs;
            bench::compare(
                omnisync::concat("render net, batch ", batch, ", ", threads, " thread(s)"), 0,
                [&] { ours = fixed.denoise(noisy, level, condition, known); },
                [&] { theirs = plain.denoise(noisy, level, condition, known); });
            std::printf("    largest difference %.1e of values up to %.1f\n",
                        (ours - theirs).abs().max().item<double>(), theirs.abs().max().item<double>());
            bench::compare(
                "  with blocks in 8 bits", 0, [&] { ours = rounded.denoise(noisy, level, condition, known); },
                [&] { theirs = fixed.denoise(noisy, level, condition, known); });
            const double peak = (theirs.max() - theirs.min()).item<double>();
            std::printf("    (against ours in float32) PSNR %.1f dB\n",
                        10 * std::log10(peak * peak / (ours - theirs).square().mean().item<double>()));
        }
    }
}
