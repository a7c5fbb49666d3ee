// Norms over channels with SiLU, for tensors: see kernels/norm_silu.h. For inference: no gradient flows through them.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace omnisync::ops {

/// Of x [B, C, ...], float32 or bfloat16 on the CPU or CUDA, whose channels lie first or (ChannelsLast, ChannelsLast3d)
/// last; others are copied first. Results lie as x does. `gamma`, `beta`: C numbers of one of the two types, any shape;
/// beta may be undefined. With `silu`, SiLU follows. Throw Error(internal) for tensors that do not fit.
///
/// x / max(|x|, 1e-12) * sqrt(C) * gamma, |x| over the channels of a pixel.
[[nodiscard]] at::Tensor rms_norm_silu(const at::Tensor& x, const at::Tensor& gamma, bool silu);

/// Group norm of `groups` groups.
[[nodiscard]] at::Tensor group_norm_silu(const at::Tensor& x, std::int64_t groups, const at::Tensor& gamma,
                                         const at::Tensor& beta, double eps, bool silu);

}  // namespace omnisync::ops
