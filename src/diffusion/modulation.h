// adaLN modulation of a sequence whose leading tokens are at rest (time 0: given, not to be changed) and whose others
// are at one noise level. Two rows serve all tokens: no table with a row per token is ever made.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::diffusion {

/// [times, width]: cos(v w_j), then sin(v w_j), w_j = 10000^(-j / (width / 2)); float64 on the CPU (spec xdub.md, 1.4).
[[nodiscard]] at::Tensor time_waves(at::ArrayRef<double> times, std::int64_t width);

/// layer_norm(x) * (1 + scale) + shift, a new tensor. `x` [B, tokens, width]; `shift`, `scale` [2, width]: row 0 for
/// the first `at_rest` tokens, row 1 for the others.
[[nodiscard]] at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale,
                                        std::int64_t at_rest, double epsilon);

/// x := x + gate * branch, in place, the rows of `gate` likewise; undefined: 1. `branch` is used up.
void join_(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& gate = {}, std::int64_t at_rest = 0);

/// x := gelu(x) with its tanh approximation, in place.
void gelu_tanh_(const at::Tensor& x);

}  // namespace omnisync::diffusion
