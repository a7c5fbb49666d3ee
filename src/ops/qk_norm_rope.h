// Queries and keys normalised and turned in place: see kernels/qk_norm_rope.h. For inference: no gradient flows through
// it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "kernels/qk_norm_rope.h"

namespace omnisync::ops {

/// Tensors are float32 or bfloat16, all on one device.
struct QkNormRope {
    /// [B, T, heads, head_dim], elements of a head contiguous: views of separate or packed tensors. Changed in place.
    /// Same type and sizes; k may be undefined.
    at::Tensor q = {};
    at::Tensor k = {};
    kernels::QkNorm norm = kernels::QkNorm::none;
    double epsilon = 1e-6;
    /// [heads * head_dim] or [head_dim], contiguous; undefined: 1.
    at::Tensor q_gain = {};
    at::Tensor k_gain = {};
    kernels::Rotation rotation = kernels::Rotation::none;
    /// With pairs: complex64 [T, head_dim / 2] (diffusion::rotor), pairs contiguous, and sin undefined. With halves:
    /// float32 cos and sin [T, head_dim / 2] of equal strides, pairs contiguous (diffusion::Rotary).
    at::Tensor cos = {};
    at::Tensor sin = {};
};

/// In place: nothing is allocated. LibTorch's threads on the CPU, its current stream on CUDA. Throws Error(internal)
/// for tensors that do not fit.
void qk_norm_rope(const QkNormRope& job);

}  // namespace omnisync::ops
