// The one place that chooses between fused kernels and plain tensor operations.
#pragma once

#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// Whether a model's work on `x` goes to our fused kernels: no gradients are wanted (c10::InferenceMode, or gradients
/// off) and it is float32 or bfloat16 on the CPU. Else: tensor operations, which can be differentiated. CUDA tensors
/// take those too until kernelcheck has passed on a device (docs/kernels.md); the kernels themselves accept them.
[[nodiscard]] bool fused(const at::Tensor& x);

}  // namespace omnisync::ops
