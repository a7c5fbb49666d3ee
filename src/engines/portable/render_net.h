// Corrects a proposal: a diffusion transformer over the lower face, 96 canonical pixels wide.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <vector>

#include "compositing/proposal.h"
#include "diffusion/transformer.h"
#include "ops/linear.h"
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
    compositing::Proposal proposal;  ///< of the window, with a second exemplar
    at::Tensor shapes;               ///< [B, 2, 96, 96]: distance to outer and inner lips of the target, -1 .. 1
    at::Tensor geometry;  ///< [B, 8 * kMotionPoints]: motion points of target, frame, exemplar, second: what fits says
                          ///< how far to trust it
    at::Tensor focus;     ///< [B, 1, 96, 96]: a Gaussian about the mouth, where guidance acts (paper, eq. 7)
};

/// Makes a condition out of pictures of -1 .. 1. `target`: [B, 68, 2] canonical.
[[nodiscard]] RenderCondition render_condition(const compositing::FacePictures& source,
                                               const compositing::FacePictures& exemplar,
                                               const compositing::FacePictures& second, const at::Tensor& target);

/// What is to be done to a proposal, in the window's pixels: [B, kCorrectionChannels, 96, 96]. Zeros change nothing,
/// and corrections may be added and scaled. It says where to look rather than what to paint as far as it can, so that
/// it serves a proposal of any resolution.
///   0..2  what to add to the colours, of -1 .. 1
///   3..5  the shares of source, exemplar and second in place of the proposal
///   6..7  canonical pixels by which to look aside
inline constexpr std::int64_t kCorrectionChannels = 8;

/// Pictures' channels that a token sees a patch of: five pictures and the shapes.
inline constexpr std::int64_t kRenderInputs = 5 * 3 + 2;
/// A token speaks for a patch: `cells` x `cells` numbers of each channel of the correction, these in order.
struct RenderField {
    std::int64_t channels, cells;
};
inline constexpr RenderField kRenderFields[] = {{3, 8}, {3, 4}, {2, 2}};
inline constexpr std::int64_t kRenderOutputs = 3 * 8 * 8 + 3 * 4 * 4 + 2 * 2 * 2;

/// A proposal as `propose` makes it, `blended` corrected, out of pictures of -1 .. 1 of any resolution.
[[nodiscard]] compositing::Proposal apply_correction(const at::Tensor& correction,
                                                     const compositing::FacePictures& source,
                                                     const compositing::FacePictures& exemplar,
                                                     const compositing::FacePictures& second, const at::Tensor& target,
                                                     const at::Tensor& points);
/// The same for the window itself, whose proposal is made already: [B, 3, 96, 96].
[[nodiscard]] at::Tensor apply_correction(const at::Tensor& correction, const RenderCondition& condition);

class RenderForward;

class RenderNet {
public:
    explicit RenderNet(const weights::Scope& scope, const RenderConfig& config = {});
    /// From now on the weights stay as they are, and calls without gradients run render_forward.h: the same up to the
    /// rounding of sums, faster, one call at a time. Copies of the net share that. `rounding` is of the blocks'
    /// products.
    void fix(ops::Rounding rounding = ops::Rounding::as_given);
    /// The correction that makes the clean window, from `noisy` [B, 3, 96, 96] at `level` [B]. `geometry_known` [B]: 0
    /// is the null condition of guidance, in which geometry and shapes are dropped.
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
    std::shared_ptr<RenderForward> fixed_;
};

/// How a correction is sampled.
struct RenderSteps {
    double tau = 0.92;  ///< where sampling starts, from the proposal
    int steps = 1;
    double guidance = 1;
    double gamma = 1.5;  ///< how guidance decays with the level; 0: not at all
};

/// `steps.steps` Euler steps from the proposal noised to `steps.tau`; the last step's correction, with the guidance of
/// DS-CFG (paper, section 3.3). `noise` has the proposal's shape.
[[nodiscard]] at::Tensor sample_correction(const RenderNet& net, const RenderCondition& condition,
                                           const at::Tensor& noise, const RenderSteps& steps);

}  // namespace omnisync::portable
