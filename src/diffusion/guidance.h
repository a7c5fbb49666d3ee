// Guidance without a classifier, its strength varying over the noise levels and over the picture (DS-CFG; OmniSync
// paper, section 3.3).
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::diffusion {

/// The temporal part of DS-CFG (paper, eq. 8): weight (level / start)^gamma, never below `floor`: with 1, late steps
/// are conditional, not unconditional.
[[nodiscard]] double guidance_at(double weight, double level, double start, double gamma = 1.5, double floor = 1);

/// unconditional + weight * (conditional - unconditional).
[[nodiscard]] at::Tensor guided(const at::Tensor& conditional, const at::Tensor& unconditional, double weight);

/// The levels that are guided; elsewhere the conditional prediction alone is used, which saves the others' evaluation.
struct Interval {
    double low = 0;
    double high = 1;
    [[nodiscard]] bool has(double level) const { return low <= level && level <= high; }
};

/// The spatial part (paper, eq. 7, divided by its peak): base + (1 - base) exp(-d^2 / (2 sigma^2)), d being the
/// distance from the mouth in latent cells. `mouths` [frames, 2]: row and column of each frame's mouth, cell centres at
/// 0, 1, ...; the result [frames, rows, columns], float32, multiplies the temporal weight.
[[nodiscard]] at::Tensor mouth_field(const at::Tensor& mouths, std::int64_t rows, std::int64_t columns, double sigma,
                                     double base);

}  // namespace omnisync::diffusion
