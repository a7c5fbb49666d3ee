// A depthwise 3 x 3 convolution on tokens with residual and GELU: see kernels/depthwise_tokens.h. For inference: no
// gradient flows through it.
#pragma once

#include <cstdint>

#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// out := gelu(x + convolution of x). `x` and `out` [B, rows * columns, channels] contiguous, float32 or bfloat16, not
/// the same; `weight` [9, channels] contiguous float32. Nothing is allocated. LibTorch's threads on the CPU, its
/// current stream on CUDA. Throws Error(internal) for tensors that do not fit.
void depthwise_tokens(const at::Tensor& x, const at::Tensor& weight, std::int64_t rows, std::int64_t columns,
                      const at::Tensor& out);

}  // namespace omnisync::ops
