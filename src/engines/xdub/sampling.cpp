#include "engines/xdub/sampling.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/randn.h>

#include <array>
#include <utility>

#include "diffusion/flow.h"
#include "omnisync/error.h"
#include "ops/guided_step.h"
#include "ops/inference.h"

namespace omnisync::xdub {
namespace {

constexpr std::array<Pass, 3> kPasses{Pass{false, false}, Pass{true, false}, Pass{true, true}};

/// Which of the three passes the scales need: the others' parts are exactly zero.
struct Needed {
    std::size_t first;
    std::size_t count;
};

Needed needed(const Scales& scales) {
    const bool full = scales.speech == 1 && !scales.in_field;
    const std::size_t first = scales.source != 1 ? 0 : full ? 2 : 1;
    const std::size_t last = scales.speech != 0 || scales.in_field ? 2 : scales.source != 0 ? 1 : 0;
    return {first, last - first + 1};
}

at::Tensor combined(const at::Tensor& velocities, std::size_t first, const Scales& scales, const Guidance& guidance) {
    at::Tensor sum = velocities[0];
    for (std::int64_t i = 1; i < velocities.size(0); ++i) {
        const at::Tensor more = velocities[i] - velocities[i - 1];
        if (first + static_cast<std::size_t>(i) == 1) {
            sum = sum + more * scales.source;
        } else if (scales.in_field) {
            const at::Tensor weight = (guidance.field * scales.speech).clamp_min(guidance.floor);
            sum = sum + more * weight.to(more.options());
        } else {
            sum = sum + more * scales.speech;
        }
    }
    return sum;
}

/// One clip on its way.
class Run {
public:
    Run(LipSyncTransformer& model, const Conditioning& given, const ClipLatents& latents, const Sampling& sampling,
        const Watch& watch)
        : model_(model), given_(given), sampling_(sampling), watch_(watch), integrator_(sampling.solver) {
        const bool rounded = sampling.rounding == Rounding::released;
        const auto options = rounded ? model.options() : model.options().dtype(at::kFloat);
        source_ = latents.source.to(options);
        noise_ = latents.noise.to(options);
        if (latents.motion.defined()) motion_ = latents.motion.to(options);
    }

    at::Tensor operator()() {
        const std::vector<double> levels = diffusion::levels(sampling_.tau, sampling_.steps, sampling_.shift);
        at::Tensor x = sampling_.tau == 1 ? noise_.clone() : diffusion::at_level(source_, noise_, sampling_.tau);
        put_motion(x);
        for (int i = 0; i < sampling_.steps; ++i) {
            x = step(x, i, levels[static_cast<std::size_t>(i)], levels[static_cast<std::size_t>(i) + 1]);
            put_motion(x);
        }
        lock_border(x, source_, motion_frames(), sampling_.border);
        put_motion(x);
        return x;
    }

private:
    [[nodiscard]] std::int64_t motion_frames() const { return motion_.defined() ? motion_.size(1) : 0; }

    void put_motion(const at::Tensor& x) const {
        if (motion_.defined()) x.narrow(1, 0, motion_.size(1)).copy_(motion_);
    }

    at::Tensor step(const at::Tensor& x, int index, double from, double to) {
        const StepTime time = step_time(from, sampling_.rounding);
        lock_border(x, border_content(source_, noise_, time.border, sampling_.rounding), motion_frames(),
                    sampling_.border);
        const Scales scales = scales_at(sampling_.guidance, time.level, sampling_.rounding);
        const auto [first, count] = needed(scales);
        int blocks = 0;
        const auto between = [&] {
            const double blocks_done = static_cast<double>(++blocks) / static_cast<double>(model_.config().blocks);
            if (watch_.go_on && !watch_.go_on((index + blocks_done) / sampling_.steps))
                fail(ExitCode::interrupted, "X-Dub: stopped in step ", index + 1, " of ", sampling_.steps);
        };
        const at::Tensor velocities = model_.velocities(x, time.tau, motion_frames(), given_,
                                                        at::makeArrayRef(kPasses).slice(first, count), between);
        const at::Tensor after = moved(x, velocities, first, scales, {from, to});
        if (watch_.seen) watch_.seen({index, x, velocities.to(x.scalar_type()), after});
        return after;
    }

    /// In one pass where that is the same arithmetic: not rounded after each operation, nothing of earlier steps.
    at::Tensor moved(const at::Tensor& x, const at::Tensor& velocities, std::size_t first, const Scales& scales,
                     std::pair<double, double> levels) {
        if (!ops::fused(x) || sampling_.rounding == Rounding::released || scales.in_field ||
            sampling_.solver != diffusion::Solver::euler)
            return integrator_.step(x, combined(velocities.to(x.scalar_type()), first, scales, sampling_.guidance),
                                    levels.first, levels.second);
        const at::Tensor after = at::empty_like(x);
        const std::int64_t count = velocities.size(0);
        ops::GuidedStep job{.x = x, .out = after, .base = velocities[count - 1], .dt = levels.second - levels.first};
        if (count > 1) {
            job.base = velocities[count - 2];
            job.last = velocities[count - 1];
            job.scale = first + static_cast<std::size_t>(count) == kPasses.size() ? scales.speech : scales.source;
        }
        if (count > 2) job.first = velocities[0];
        job.first_scale = scales.source;
        ops::guided_step(job);
        return after;
    }

    LipSyncTransformer& model_;
    const Conditioning& given_;
    const Sampling& sampling_;
    const Watch& watch_;
    diffusion::Integrator integrator_;
    at::Tensor source_;
    at::Tensor noise_;
    at::Tensor motion_;
};

}  // namespace

at::Tensor sample_clip(LipSyncTransformer& model, const Conditioning& given, const ClipLatents& latents,
                       const Sampling& sampling, const Watch& watch) {
    require(latents.source.sizes() == latents.noise.sizes() && latents.source.dim() == 4, ExitCode::internal,
            "X-Dub: noise of shape ", latents.noise.sizes(), " for latents of shape ", latents.source.sizes());
    require(sampling.steps > 0 && sampling.tau > 0 && sampling.tau <= 1 && sampling.shift > 0, ExitCode::internal,
            "X-Dub: ", sampling.steps, " steps from ", sampling.tau, " with shift ", sampling.shift);
    return Run(model, given, latents, sampling, watch)();
}

void lock_border(const at::Tensor& x, const at::Tensor& content, std::int64_t first_frame, std::int64_t width) {
    const at::Tensor to = x.narrow(1, first_frame, x.size(1) - first_frame);
    const at::Tensor from = content.narrow(1, first_frame, x.size(1) - first_frame);
    for (const std::int64_t dim : {2, 3}) {
        const std::int64_t rim = std::min(width, x.size(dim));
        for (const std::int64_t start : {std::int64_t{0}, x.size(dim) - rim})
            to.narrow(dim, start, rim).copy_(from.narrow(dim, start, rim));
    }
}

at::Tensor border_content(const at::Tensor& source, const at::Tensor& noise, double level, Rounding rounding) {
    const double kept = rounding == Rounding::released ? to_bfloat16(1 - level) : 1 - level;
    return source * kept + noise * level;
}

at::Tensor guided(const at::Tensor& velocities, const Scales& scales, const Guidance& guidance) {
    const auto [first, count] = needed(scales);
    return combined(velocities.narrow(0, static_cast<std::int64_t>(first), static_cast<std::int64_t>(count)), first,
                    scales, guidance);
}

at::Tensor reference_noise(std::uint64_t seed, at::IntArrayRef shape) {
    at::Generator twister = at::detail::createCPUGenerator(seed);
    at::Tensor noise = at::randn(shape, twister, at::kFloat);
    require(noise.numel() >= 16, ExitCode::internal, "the released noise needs 16 values or more, not ", noise.numel());
    return noise;
}

}  // namespace omnisync::xdub
