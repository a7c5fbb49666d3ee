// X-Dub's sampling of one clip (spec xdub.md, 6).
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "diffusion/schedule.h"
#include "engines/xdub/guidance_scales.h"
#include "engines/xdub/lip_sync_transformer.h"

namespace omnisync::xdub {

/// The released run's numbers.
struct Sampling {
    int steps = 50;
    double shift = 5;
    /// Where it starts: 1 for noise alone, less for the source's latents with noise on them (OmniSync paper, eq. 5).
    double tau = 1;
    diffusion::Solver solver = diffusion::Solver::euler;
    Guidance guidance;
    std::int64_t border = 1;  ///< width of the rim, in latent cells, that is the source's at every step; 0: none
    Rounding rounding = Rounding::exact;
};

/// All [channels, frames, rows, columns].
struct ClipLatents {
    at::Tensor source;
    at::Tensor noise;
    at::Tensor motion;  ///< the first frames, given; undefined for a first clip
};

/// What happened in one step.
struct StepSeen {
    int index = 0;
    at::Tensor before;      ///< what entered the network
    at::Tensor velocities;  ///< [passes, ...]: those that the scales ask for
    at::Tensor after;       ///< before the motion latents are put back
};

struct Watch {
    /// Given the part that is done, 0 .. 1, after each block of the network; false stops.
    std::function<bool(double done)> go_on;
    std::function<void(const StepSeen&)> seen;
};

/// The clip's latents, [channels, frames, rows, columns], in float32 (in the weights' type with Rounding::released), on
/// the device of the weights. `given`: of LipSyncTransformer::prepare() for the same source. Throws Error(interrupted)
/// when the watch says so, Error(internal) for latents of different shapes.
[[nodiscard]] at::Tensor sample_clip(LipSyncTransformer& model, const Conditioning& given, const ClipLatents& latents,
                                     const Sampling& sampling, const Watch& watch = {});

/// The parts of sample_clip().
/// Writes the rim of `content` into `x`, both [channels, frames, rows, columns], from `first_frame` on.
void lock_border(const at::Tensor& x, const at::Tensor& content, std::int64_t first_frame, std::int64_t width);
/// Source and noise as the rim has them at a step.
[[nodiscard]] at::Tensor border_content(const at::Tensor& source, const at::Tensor& noise, double level,
                                        Rounding rounding);
/// V of Guidance; `velocities` [3, channels, frames, rows, columns].
[[nodiscard]] at::Tensor guided(const at::Tensor& velocities, const Scales& scales, const Guidance& guidance);

/// The noise of the released run: a Mersenne twister's normals, float32 on the CPU, the same for every clip (6.1).
/// Needs 16 values or more. Only the low 32 bits of the seed count. Our own is ops::fill_noise.
[[nodiscard]] at::Tensor reference_noise(std::uint64_t seed, at::IntArrayRef shape);

}  // namespace omnisync::xdub
