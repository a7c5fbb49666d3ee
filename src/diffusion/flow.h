// Flow matching on straight paths, with level t = 1 for noise alone and 0 for data: x_t = (1 - t) x_0 + t noise.
// (OmniSync paper, section 3.1, with its time turned round: docs/architecture.md, "Notation".)
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace omnisync::diffusion {

/// Levels of a sampling of `steps` Euler steps from `tau` to 0: steps + 1 numbers, evenly spaced.
[[nodiscard]] std::vector<double> levels(double tau, int steps);

/// One Euler step from level `from` to `to` < `from`, when the model has predicted the clean data.
[[nodiscard]] at::Tensor step_towards(const at::Tensor& x, const at::Tensor& clean, double from, double to);

/// The temporal part of DS-CFG (paper, eq. 8): weight (level / start)^gamma, never below 1: late steps are conditional,
/// not unconditional.
[[nodiscard]] double guidance_at(double weight, double level, double start, double gamma = 1.5);

/// unconditional + weight * (conditional - unconditional).
[[nodiscard]] at::Tensor guided(const at::Tensor& conditional, const at::Tensor& unconditional, double weight);

}  // namespace omnisync::diffusion
