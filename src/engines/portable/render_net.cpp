#include "engines/portable/render_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include "engines/portable/motion_basis.h"
#include "geometry/lower_face.h"

namespace omnisync::portable {
namespace {

using geometry::kWindowSide;
using weights::Init;

constexpr std::int64_t kChannels = 5 * 3 + 2;
constexpr double kShapeReach = 6;      // canonical pixels from the lips to where the distance says no more
constexpr double kGeometryUnit = 0.1;  // of a canonical pixel, for inputs of about 1

at::Tensor lips_distance(const at::Tensor& target, std::int64_t first, std::int64_t count, const at::Tensor& points) {
    const at::Tensor distance = geometry::distance_to_polygon(target.narrow(1, first, count), points.view({-1, 2}));
    return (distance / kShapeReach).clamp(-1, 1).view({target.size(0), kWindowSide, kWindowSide});
}

/// Motion points about the window's middle.
at::Tensor points_about(const at::Tensor& landmarks) {
    const at::Tensor middle = at::tensor({static_cast<float>(geometry::kWindowX + kWindowSide / 2),
                                          static_cast<float>(geometry::kWindowY + kWindowSide / 2)});
    return ((motion_points(landmarks) - middle) * kGeometryUnit).flatten(1);
}

}  // namespace

RenderCondition render_condition(const compositing::FacePictures& source, const compositing::FacePictures& exemplar,
                                 const compositing::FacePictures& exemplar2, const at::Tensor& target) {
    const at::Tensor points = geometry::window_points();
    const compositing::Proposal first = compositing::propose(source, exemplar, target, points);
    const at::Tensor second =
        compositing::look_through(exemplar2, points, geometry::region_warp(target, exemplar2.landmarks, points));
    return {first.blended,
            first.source,
            first.exemplar,
            second,
            at::stack({lips_distance(target, 48, 12, points), lips_distance(target, 60, 8, points)}, 1),
            at::cat({points_about(target), points_about(source.landmarks)}, 1)};
}

RenderNet::RenderNet(const weights::Scope& scope, const RenderConfig& config)
    : config_(config),
      patches_(scope / "patches", kChannels * config.patch * config.patch, config.width),
      places_(scope.get("places", {(kWindowSide / config.patch) * (kWindowSide / config.patch), config.width},
                        Init::small)),
      level_in_(scope / "level_in", config.width, config.width),
      level_out_(scope / "level_out", config.width, config.width),
      geometry_(scope / "geometry", 4 * kMotionPoints, config.width),
      last_modulation_(scope / "last_modulation", config.width, 2 * config.width, Init::zeros),
      out_(scope / "out", config.width, 3 * config.patch * config.patch, Init::zeros) {
    const std::int64_t side = kWindowSide / config.patch;
    for (std::int64_t i = 0; i < config.blocks; ++i)
        blocks_.emplace_back(scope / "blocks" / i, diffusion::BlockConfig{config.width, config.heads, 4, side, side});
}

at::Tensor RenderNet::denoise(const at::Tensor& noisy, const at::Tensor& level, const RenderCondition& condition,
                              const at::Tensor& geometry_known) const {
    const std::int64_t batch = noisy.size(0);
    const std::int64_t patch = config_.patch;
    const std::int64_t side = kWindowSide / patch;
    const at::Tensor known = geometry_known.view({-1, 1, 1, 1});
    const at::Tensor seen = at::cat({noisy, condition.proposal, condition.source, condition.exemplar,
                                     condition.exemplar2, condition.shapes * known},
                                    1);
    const at::Tensor tokens = seen.view({batch, kChannels, side, patch, side, patch})
                                  .permute({0, 2, 4, 1, 3, 5})
                                  .reshape({batch, side * side, kChannels * patch * patch});
    at::Tensor x = patches_(tokens) + places_;
    const at::Tensor when = level_out_(at::silu(level_in_(diffusion::embed_level(level, config_.width))));
    const at::Tensor what = geometry_(condition.geometry * geometry_known.view({-1, 1}));
    const at::Tensor modulation = at::silu(when + what).unsqueeze(1);
    for (const diffusion::Block& block : blocks_) x = block(x, modulation, std::nullopt);
    const auto m = last_modulation_(modulation).chunk(2, -1);
    const at::Tensor residual = out_(at::layer_norm(x, {config_.width}) * (m[1] + 1) + m[0]);
    return condition.proposal + residual.view({batch, side, side, 3, patch, patch})
                                    .permute({0, 3, 1, 4, 2, 5})
                                    .reshape({batch, 3, kWindowSide, kWindowSide});
}

}  // namespace omnisync::portable
