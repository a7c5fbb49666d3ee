#include "engines/portable/motion_planner.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>

#include "diffusion/flow.h"
#include "ops/noise.h"
#include "ops/one_thread.h"

namespace omnisync::portable {
namespace {

/// What the net is told of one window.
struct Window {
    at::Tensor heard;     // [1, W, heard_width]
    at::Tensor expected;  // [1, W, kComponents]
    at::Tensor given;     // [carried, kComponents], the window's first frames
};

/// What the speech lets expect at `positions` [1, n]: [n, kComponents]. In pieces that overlap by what the net looks
/// at on both sides: a long plan needs hardly more memory.
at::Tensor expect_all(const MotionNet& net, const at::Tensor& heard, const at::Tensor& positions) {
    constexpr std::int64_t kPiece = 1000, kContext = 8;
    const std::int64_t frames = positions.size(1);
    const at::Tensor expected = at::empty({frames, kComponents});
    for (std::int64_t first = 0; first < frames; first += kPiece) {
        const std::int64_t from = std::max<std::int64_t>(0, first - kContext);
        const std::int64_t to = std::min(frames, first + kPiece + kContext);
        const std::int64_t count = std::min(kPiece, frames - first);
        const at::Tensor piece = net.expect(MotionNet::read(heard, positions.narrow(1, from, to - from)));
        expected.narrow(0, first, count).copy_(piece[0].narrow(0, first - from, count));
    }
    return expected;
}

at::Tensor sample(const MotionNet& net, const Window& window, const at::Tensor& start, const at::Tensor& style,
                  const PlanOptions& options) {
    const std::int64_t carried = window.given.size(0);
    at::Tensor x = start.clone();
    at::Tensor mask = at::zeros({1, x.size(1)});
    mask.narrow(1, 0, carried).fill_(1);
    const at::Tensor deaf = net.silence().expand_as(window.heard);
    const auto levels = diffusion::levels(options.tau, options.steps);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
        x[0].narrow(0, 0, carried).copy_(window.given);
        const MotionNet::Noisy noisy{x, at::full({1}, levels[i]), mask, style.unsqueeze(0)};
        at::Tensor clean = net.denoise(noisy, window.heard, window.expected);
        const double weight = diffusion::guidance_at(options.guidance, levels[i], options.tau, options.gamma);
        if (weight > 1)
            clean = diffusion::guided(clean, net.denoise(noisy, deaf, at::zeros_like(window.expected)), weight);
        x = diffusion::step_towards(x, clean, levels[i], levels[i + 1]);
    }
    x[0].narrow(0, 0, carried).copy_(window.given);
    return x[0];
}

}  // namespace

MotionPlan plan_motion(const MotionNet& net, const at::Tensor& heard, const at::Tensor& source, const at::Tensor& style,
                       const PlanOptions& options) {
    const ops::OneThread same_sums;
    const std::int64_t frames = source.size(0);
    const at::Tensor positions =
        ((at::arange(frames, at::kFloat) + static_cast<double>(options.first)) * (kHeardRateHz / kMotionRateHz))
            .unsqueeze(0);
    const at::Tensor expected = expect_all(net, heard, positions);
    at::Tensor noisy = at::empty_like(source);
    ops::start_from_source(noisy, source.contiguous(), 0,
                           {.seed = options.seed, .track = options.track, .first_frame = options.first},
                           static_cast<float>(options.tau));
    const std::int64_t width = net.config().window;
    MotionPlan plan{at::zeros({frames, kComponents}), expected};
    for (std::int64_t first = 0, done = 0; done < frames; first += width - options.carry) {
        const std::int64_t real = std::min(width, frames - first);
        const auto cut = [&](const at::Tensor& all) {  // [n, c] -> [1, W, c], short windows filled with zeros
            return at::constant_pad_nd(all.narrow(0, first, real), {0, 0, 0, width - real}).unsqueeze(0);
        };
        const at::Tensor read = MotionNet::read(heard, positions.narrow(1, first, real));
        const Window window{at::constant_pad_nd(read, {0, 0, 0, width - real}), cut(expected),
                            plan.motion.narrow(0, first, done - first)};
        const at::Tensor made = sample(net, window, cut(noisy), style, options);
        plan.motion.narrow(0, done, first + real - done).copy_(made.narrow(0, done - first, first + real - done));
        done = first + real;
    }
    const double travel = plan.motion.norm().item<double>();
    const double expected_travel = std::max(1e-6, plan.expected.norm().item<double>());
    plan.motion = plan.motion * (1 - options.trust) + plan.expected * (options.trust * travel / expected_travel);
    return plan;
}

}  // namespace omnisync::portable
