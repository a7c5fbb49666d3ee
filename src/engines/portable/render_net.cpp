#include "engines/portable/render_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>

#include "diffusion/flow.h"
#include "engines/portable/motion_basis.h"
#include "engines/portable/render_forward.h"
#include "geometry/lower_face.h"

namespace omnisync::portable {
namespace {

using geometry::kWindowSide;
using weights::Init;

constexpr double kShapeReach = 6;         // canonical pixels from the lips to where the distance says no more
constexpr double kFocus = 18;             // canonical pixels, deviation of the Gaussian
constexpr int kBicubic = 2, kBorder = 1;  // ATen's numbers
constexpr double kGeometryUnit = 0.1;     // of a canonical pixel, for inputs of about 1

at::Tensor lips_distance(const at::Tensor& target, std::int64_t first, std::int64_t count, const at::Tensor& points) {
    const at::Tensor distance = geometry::distance_to_polygon(target.narrow(1, first, count), points.view({-1, 2}));
    return (distance / kShapeReach).clamp(-1, 1).view({target.size(0), kWindowSide, kWindowSide});
}

at::Tensor focus_on(const at::Tensor& target, const at::Tensor& points) {
    const at::Tensor middle = target.narrow(1, 48, 20).mean(1).view({-1, 1, 1, 2});
    return ((points - middle).square().sum(-1) / (-2 * kFocus * kFocus)).exp().unsqueeze(1);
}

at::Tensor mix(const compositing::Proposal& made, const at::Tensor& shares) {
    const at::Tensor& blended = made.blended;
    return blended + (made.source - blended) * shares.narrow(1, 0, 1) +
           (made.exemplar - blended) * shares.narrow(1, 1, 1) + (made.second - blended) * shares.narrow(1, 2, 1);
}

/// Motion points about the window's middle.
at::Tensor points_about(const at::Tensor& landmarks) {
    const at::Tensor middle = at::tensor({static_cast<float>(geometry::kWindowX + kWindowSide / 2),
                                          static_cast<float>(geometry::kWindowY + kWindowSide / 2)});
    return ((motion_points(landmarks) - middle) * kGeometryUnit).flatten(1);
}

}  // namespace

RenderCondition render_condition(const compositing::FacePictures& source, const compositing::FacePictures& exemplar,
                                 const compositing::FacePictures& second, const at::Tensor& target) {
    const at::Tensor points = geometry::window_points();
    return {compositing::propose(source, exemplar, second, target, points),
            at::stack({lips_distance(target, 48, 12, points), lips_distance(target, 60, 8, points)}, 1),
            at::cat({points_about(target), points_about(source.landmarks), points_about(exemplar.landmarks),
                     points_about(second.landmarks)},
                    1),
            focus_on(target, points)};
}

compositing::Proposal apply_correction(const at::Tensor& correction, const compositing::FacePictures& source,
                                       const compositing::FacePictures& exemplar,
                                       const compositing::FacePictures& second, const at::Tensor& target,
                                       const at::Tensor& points) {
    const at::Tensor here = geometry::read_window(correction, points);
    const at::Tensor aside = points + here.narrow(1, 6, 2).permute({0, 2, 3, 1});
    compositing::Proposal made = compositing::propose(source, exemplar, second, target, aside);
    const at::Tensor shares = geometry::read_window(correction.narrow(1, 3, 3), aside);
    made.blended = mix(made, shares) + here.narrow(1, 0, 3);
    return made;
}

at::Tensor apply_correction(const at::Tensor& correction, const RenderCondition& condition) {
    const at::Tensor points = geometry::window_points();
    const at::Tensor here = geometry::read_window(correction, points);
    const at::Tensor mixed = mix(condition.proposal, here.narrow(1, 3, 3));
    const at::Tensor aside = points + here.narrow(1, 6, 2).permute({0, 2, 3, 1});
    const at::Tensor corner = at::tensor({geometry::kWindowX - 0.5F, geometry::kWindowY - 0.5F});
    return at::grid_sampler_2d(mixed, (aside - corner) / kWindowSide * 2 - 1, kBicubic, kBorder, false) +
           here.narrow(1, 0, 3);
}

RenderNet::RenderNet(const weights::Scope& scope, const RenderConfig& config)
    : config_(config),
      patches_(scope / "patches", kRenderInputs * config.patch * config.patch, config.width),
      places_(scope.get("places", {(kWindowSide / config.patch) * (kWindowSide / config.patch), config.width},
                        Init::small)),
      level_in_(scope / "level_in", config.width, config.width),
      level_out_(scope / "level_out", config.width, config.width),
      geometry_(scope / "geometry", 8 * kMotionPoints, config.width),
      last_modulation_(scope / "last_modulation", config.width, 2 * config.width, Init::zeros),
      out_(scope / "out", config.width, kRenderOutputs, Init::zeros) {
    const std::int64_t side = kWindowSide / config.patch;
    for (std::int64_t i = 0; i < config.blocks; ++i)
        blocks_.emplace_back(scope / "blocks" / i, diffusion::BlockConfig{config.width, config.heads, 4, side, side});
}

void RenderNet::fix(ops::Rounding rounding) {
    fixed_ = std::make_shared<RenderForward>(RenderForward::Parts{
        config_, patches_, places_, level_in_, level_out_, geometry_, blocks_, last_modulation_, out_, rounding});
}

at::Tensor RenderNet::denoise(const at::Tensor& noisy, const at::Tensor& level, const RenderCondition& condition,
                              const at::Tensor& geometry_known) const {
    if (fixed_ && !at::GradMode::is_enabled()) return (*fixed_)(noisy, level, condition, geometry_known).clone();
    const std::int64_t batch = noisy.size(0);
    const std::int64_t patch = config_.patch;
    const std::int64_t side = kWindowSide / patch;
    const at::Tensor known = geometry_known.view({-1, 1, 1, 1});
    const compositing::Proposal& made = condition.proposal;
    const at::Tensor seen =
        at::cat({noisy, made.blended, made.source, made.exemplar, made.second, condition.shapes * known}, 1);
    const at::Tensor tokens = seen.view({batch, kRenderInputs, side, patch, side, patch})
                                  .permute({0, 2, 4, 1, 3, 5})
                                  .reshape({batch, side * side, kRenderInputs * patch * patch});
    at::Tensor x = patches_(tokens) + places_;
    const at::Tensor when = level_out_(at::silu(level_in_(diffusion::embed_level(level, config_.width))));
    const at::Tensor what = geometry_(condition.geometry * geometry_known.view({-1, 1}));
    const at::Tensor modulation = at::silu(when + what).unsqueeze(1);
    for (const diffusion::Block& block : blocks_) x = block(x, modulation, std::nullopt);
    const auto m = last_modulation_(modulation).chunk(2, -1);
    const at::Tensor said = out_(at::layer_norm(x, {config_.width}) * (m[1] + 1) + m[0]).to(at::kFloat);
    std::vector<at::Tensor> fields;
    std::int64_t first = 0;
    for (const auto& [channels, cells] : kRenderFields) {
        const at::Tensor field = said.narrow(2, first, channels * cells * cells)
                                     .view({batch, side, side, channels, cells, cells})
                                     .permute({0, 3, 1, 4, 2, 5})
                                     .reshape({batch, channels, side * cells, side * cells});
        fields.push_back(at::upsample_bilinear2d(field, {kWindowSide, kWindowSide}, false));
        first += channels * cells * cells;
    }
    return at::cat(fields, 1);
}

at::Tensor sample_correction(const RenderNet& net, const RenderCondition& condition, const at::Tensor& noise,
                             const RenderSteps& steps) {
    const std::int64_t batch = noise.size(0);
    at::Tensor x = condition.proposal.blended * (1 - steps.tau) + noise * steps.tau;
    at::Tensor correction;
    const auto levels = diffusion::levels(steps.tau, steps.steps);
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
        const at::Tensor level = at::full({batch}, levels[i]);
        correction = net.denoise(x, level, condition, at::ones({batch}));
        const double weight = diffusion::guidance_at(steps.guidance, levels[i], steps.tau, steps.gamma);
        if (weight > 1) {
            const at::Tensor null = net.denoise(x, level, condition, at::zeros({batch}));
            correction = correction + (correction - null) * (condition.focus * (weight - 1));
        }
        if (levels[i + 1] > 0)
            x = diffusion::step_towards(x, apply_correction(correction, condition), levels[i], levels[i + 1]);
    }
    return correction;
}

}  // namespace omnisync::portable
