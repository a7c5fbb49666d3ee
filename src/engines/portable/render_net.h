// Corrects a proposal: a diffusion transformer over the lower face, 96 canonical pixels wide.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "compositing/proposal.h"
#include "diffusion/transformer.h"
#include "weights/layers.h"

namespace omnisync::portable {

struct RenderConfig {
    std::int64_t width = 192;
    std::int64_t blocks = 6;
    std::int64_t heads = 6;
    std::int64_t patch = 8;  ///< pixels, square
};

/// What the net is told of B windows. Pixels are [B, 3, 96, 96], -1 .. 1.
struct RenderCondition {
    at::Tensor proposal;
    at::Tensor source;     ///< the frame, warped to the target's jaw
    at::Tensor exemplar;   ///< the nearest one, warped whole
    at::Tensor exemplar2;  ///< another one
    at::Tensor shapes;     ///< [B, 2, 96, 96]: distance to outer and inner lips of the target, -1 .. 1
    at::Tensor geometry;   ///< [B, 4 * kMotionPoints]: motion points of target and frame, about the mean
};

/// Makes a condition out of pictures. `target`: [B, 68, 2] canonical.
[[nodiscard]] RenderCondition render_condition(const compositing::FacePictures& source,
                                               const compositing::FacePictures& exemplar,
                                               const compositing::FacePictures& exemplar2, const at::Tensor& target);

class RenderNet {
public:
    explicit RenderNet(const weights::Scope& scope, const RenderConfig& config = {});
    /// The clean window, from `noisy` [B, 3, 96, 96] at `level` [B]. `geometry_known` [B]: 0 is the null condition of
    /// guidance, in which geometry and shapes are dropped.
    [[nodiscard]] at::Tensor denoise(const at::Tensor& noisy, const at::Tensor& level, const RenderCondition& condition,
                                     const at::Tensor& geometry_known) const;

private:
    RenderConfig config_;
    weights::Linear patches_;
    at::Tensor places_;  // [tokens, width]
    weights::Linear level_in_;
    weights::Linear level_out_;
    weights::Linear geometry_;
    std::vector<diffusion::Block> blocks_;
    weights::Linear last_modulation_;
    weights::Linear out_;
};

}  // namespace omnisync::portable
