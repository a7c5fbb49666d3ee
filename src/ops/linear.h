// A linear layer whose weights stay as they are: for inference, no gradient flows through it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "ops/workspace.h"

namespace omnisync::ops {

/// How the products of a layer may be rounded.
enum class Rounding {
    as_given,  ///< in the weights' own type
    int8       ///< on the CPU weights by output and inputs by row to 8 bits (kernels/int8_linear.h); elsewhere as given
};

/// In float32 on the CPU the weights are packed for kernels/packed_linear.h or int8_linear.h; otherwise LibTorch
/// multiplies.
class FixedLinear {
public:
    /// `weight` [out, in]; `bias` [out] or undefined. Both are copied where they are packed, else shared.
    FixedLinear(const at::Tensor& weight, const at::Tensor& bias, Rounding rounding = Rounding::as_given);

    /// out := x weight^T + bias. `x` [..., in] and `out` [..., out] are contiguous, of the weights' type and on their
    /// device, and do not overlap. Once warm nothing is allocated; one call at a time. Bits do not depend on the number
    /// of threads in the packed cases. Throws Error(internal) for tensors that do not fit.
    void operator()(const at::Tensor& x, const at::Tensor& out) const;

private:
    void multiply_packed(const at::Tensor& x, std::int64_t rows, const at::Tensor& out) const;
    void multiply_int8(const at::Tensor& x, std::int64_t rows, const at::Tensor& out) const;

    std::int64_t in_;
    std::int64_t out_;
    at::Tensor packed_;  // float32 or int8; undefined where LibTorch multiplies
    at::Tensor weight_;  // [in, out] there
    at::Tensor bias_;
    at::Tensor scale_, offset_;  // of int8
    mutable Workspace rounded_;  // rows of x in 8 bits, and their scales
};

}  // namespace omnisync::ops
