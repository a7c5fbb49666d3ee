// How a mouth's opening goes up and down over time, and how it is kept within what a speaker does.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace omnisync::portable {

/// How far `values` [n] go to and fro: their deviation from their own mean over `window` neighbours, where `active` [n]
/// is above a half. What changes slowly, as smiles and turns of the head do, is no speech. 0 where too little is
/// active.
[[nodiscard]] double travel(const at::Tensor& values, std::int64_t window, const at::Tensor& active);

/// How abruptly they do it: mean square of the second difference. 0 for fewer than three values.
[[nodiscard]] double abruptness(const at::Tensor& values);

/// `values` [n, c] under a Gaussian of `sigma` rows; beyond the ends: the ends. As they are for 0.
[[nodiscard]] at::Tensor smoothed(const at::Tensor& values, double sigma);

/// `values` up to `knee`, from there ever nearer to `top` without reaching it; both may be tensors that broadcast.
[[nodiscard]] at::Tensor bounded(const at::Tensor& values, const at::Tensor& knee, const at::Tensor& top);

}  // namespace omnisync::portable
