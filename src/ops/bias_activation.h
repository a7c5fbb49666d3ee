// x := activation(x + bias), in place: see kernels/bias_activation.h. For inference: no gradient flows through it.
#pragma once

#include "kernels/bias_activation.h"
#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// `x` [..., columns], float32 or bfloat16, elements of a row contiguous and rows evenly apart; `bias` [columns]
/// contiguous, of either type, or undefined. Nothing is allocated. LibTorch's threads on the CPU, its current stream on
/// CUDA. Throws Error(internal) for tensors that do not fit.
void bias_activation_(const at::Tensor& x, const at::Tensor& bias, kernels::Activation activation);

}  // namespace omnisync::ops
