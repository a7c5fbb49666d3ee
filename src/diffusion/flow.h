// Flow matching on straight paths, with level t = 1 for noise alone and 0 for data: x_t = (1 - t) x_0 + t noise.
// (OmniSync paper, section 3.1, with its time turned round: docs/architecture.md, "Notation".)
#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/guidance.h"
#include "diffusion/schedule.h"

namespace omnisync::diffusion {

/// (1 - level) clean + level noise: what a sampling that begins at the source starts from (paper, eq. 5), for noise
/// that is there already. ops::start_from_source makes its own on the way.
[[nodiscard]] at::Tensor at_level(const at::Tensor& clean, const at::Tensor& noise, double level);

/// One Euler step from level `from` to `to` < `from`, when the model has predicted the clean data.
[[nodiscard]] at::Tensor step_towards(const at::Tensor& x, const at::Tensor& clean, double from, double to);

/// What a model that predicts velocities learns by: the mean square of predicted - (noise - clean).
[[nodiscard]] at::Tensor velocity_loss(const at::Tensor& predicted, const at::Tensor& clean, const at::Tensor& noise);

}  // namespace omnisync::diffusion
