// The one place that chooses between fused kernels and plain tensor operations.
#pragma once

#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// Whether a model's work on `x` goes to our fused kernels: no gradients are wanted (c10::InferenceMode, or gradients
/// off) and it is float32 or bfloat16 on the CPU. Else: tensor operations, which can be differentiated. CUDA tensors
/// take those too until kernelcheck has passed on a device (docs/kernels.md); the kernels themselves accept them.
[[nodiscard]] bool fused(const at::Tensor& x);

/// The same for kernels that round otherwise than the tensor operations do: bfloat16 alone, where ours round less
/// often. In float32 models keep to LibTorch's roundings, which the golden films have byte for byte.
[[nodiscard]] bool fused_bfloat16(const at::Tensor& x);

}  // namespace omnisync::ops
