// One step of a guided sampling in one pass: see kernels/guided_step.h. For inference: no gradient flows through it.
#pragma once

#include <ATen/core/Tensor.h>

#include "kernels/guided_step.h"

namespace omnisync::ops {

/// Latents [channels, frames, rows, columns], rows contiguous, all on one device. x, out and previous are float32; the
/// velocities float32 or bfloat16, of one type.
struct GuidedStep {
    at::Tensor x = {};
    at::Tensor out = {};  ///< may be x
    at::Tensor base = {};
    at::Tensor first = {};  ///< undefined: no such branch
    at::Tensor last = {};   ///< undefined: no such branch
    double first_scale = 1;
    double scale = 1;
    double floor = 0;
    at::Tensor mouths = {};  ///< [frames, 4], float32, contiguous: row, column, sigma, outside; undefined: no field
    double dt = 0;
    double ahead = 0;
    at::Tensor previous = {};  ///< undefined: the velocity is not kept, and ahead is 0
    /// [frames, rows / 2, columns / 2, channels, 2, 2], float32 or bfloat16, contiguous; undefined: not wanted.
    at::Tensor tokens = {};
};

/// Nothing is allocated. LibTorch's threads on the CPU, its current stream on CUDA. Throws Error(internal) for tensors
/// that do not fit.
void guided_step(const GuidedStep& job);

}  // namespace omnisync::ops
