// A linear layer whose weights stay as they are: for inference, no gradient flows through it.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace omnisync::ops {

/// In float32 on the CPU the weights are packed for kernels/packed_linear.h; otherwise LibTorch multiplies.
class FixedLinear {
public:
    /// `weight` [out, in]; `bias` [out] or undefined. Both are copied where they are packed, else shared.
    FixedLinear(const at::Tensor& weight, const at::Tensor& bias);

    /// out := x weight^T + bias. `x` [..., in] and `out` [..., out] are contiguous, of the weights' type and on their
    /// device, and do not overlap. Nothing is allocated. Bits do not depend on the number of threads in the packed
    /// case. Throws Error(internal) for tensors that do not fit.
    void operator()(const at::Tensor& x, const at::Tensor& out) const;

private:
    std::int64_t in_;
    std::int64_t out_;
    at::Tensor packed_;  // undefined where LibTorch multiplies
    at::Tensor weight_;  // [in, out] there
    at::Tensor bias_;
};

}  // namespace omnisync::ops
