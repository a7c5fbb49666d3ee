// x += gate * branch, then norm, gain, bias and modulation, for tensors: see kernels/gated_norm.h. For inference: no
// gradient flows through it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kernels/gated_norm.h"

namespace omnisync::ops {

/// Tensors are float32 or bfloat16, all on the device of x; undefined ones are left out. x, branch and out have one
/// type and shape [B, T, width] (or [T, width]), rows contiguous. The same tensor may be out and x, or out and branch.
struct GatedNorm {
    at::Tensor x = {};  ///< changed in place where there is a branch
    at::Tensor branch = {};
    at::Tensor out = {};  ///< undefined: only the sum is wanted
    kernels::Norm norm = kernels::Norm::layer;
    double epsilon = 1e-6;
    at::Tensor gain = {};  ///< [width], contiguous
    at::Tensor bias = {};  ///< [width], contiguous, of the gain's type
    /// Each broadcasts to x: [width], [B or 1, T or 1, width]; with `at_rest` >= 0 [2, width]: row 0 for the first
    /// `at_rest` tokens of every item, row 1 for the others. Rows contiguous, of any of the two types.
    at::Tensor gate = {};
    at::Tensor scale = {};
    at::Tensor shift = {};
    std::int64_t at_rest = -1;
};

/// In place and into `out`: nothing is allocated. LibTorch's threads on the CPU, its current stream on CUDA. Throws
/// Error(internal) for tensors that do not fit.
void gated_norm(const GatedNorm& job);

}  // namespace omnisync::ops
