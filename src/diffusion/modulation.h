// adaLN modulation of a sequence whose leading tokens are at rest (time 0: given, not to be changed) and whose others
// are at one noise level. Two rows serve all tokens: no table with a row per token is ever made.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::diffusion {

/// [times, width]: cos(v w_j), then sin(v w_j), w_j = 10000^(-j / (width / 2)); float64 on the CPU (spec xdub.md, 1.4).
[[nodiscard]] at::Tensor time_waves(at::ArrayRef<double> times, std::int64_t width);

/// x := x * (1 + scale) + shift, in place. `x` [B, tokens, width]; `shift`, `scale` [2, width]: row 0 for the first
/// `at_rest` tokens, row 1 for the others.
void modulate_(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, std::int64_t at_rest);

/// x := x * gate, in place, likewise.
void gate_(const at::Tensor& x, const at::Tensor& gate, std::int64_t at_rest);

}  // namespace omnisync::diffusion
