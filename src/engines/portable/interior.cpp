#include "engines/portable/interior.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include "engines/portable/motion_basis.h"
#include "geometry/warp.h"

namespace omnisync::portable {
namespace {

// Canonical pixels. A borrowed mouth open by more than the first shows its own inside; between them both do.
constexpr double kShut = 1, kApart = 3;
constexpr double kSeen = 1.5, kWide = 4;  // target's opening from which there is an inside, and all of it
constexpr double kFeatherIn = 1.2, kFeatherOut = 0.6;
constexpr float kTop = 0.14F, kBottom = 0.42F;  // of the lips' light: palate, tongue
constexpr double kTongue = 4;                   // how far the tongue's light reaches up from the lower lip

double opening_of(const at::Tensor& landmarks) {
    return opening(motion_points(landmarks)).item<double>();
}

}  // namespace

double unseen_interior(const at::Tensor& target, const at::Tensor& lent) {
    return (1 - geometry::smooth_step(opening_of(lent), kShut, kApart)) *
           geometry::smooth_step(opening_of(target), kSeen, kWide);
}

void darken_interior(const at::Tensor& pixels, const at::Tensor& target, const at::Tensor& points, double share) {
    const at::Tensor flat = points.view({-1, 2});
    const auto shape = [&](const at::Tensor& values) { return values.view({points.size(0), points.size(1)}); };
    const at::Tensor inner = geometry::distance_to_polygon(target.narrow(1, 60, 8), flat)[0];
    const at::Tensor outer = geometry::distance_to_polygon(target.narrow(1, 48, 12), flat)[0];
    const at::Tensor lips = shape((inner > kFeatherIn).logical_and(outer < -kFeatherIn).to(at::kFloat));
    const at::Tensor colour = (pixels * lips).sum({1, 2}) / lips.sum().clamp_min(1e-3);
    // Light falls on what lies behind the lower lip.
    const at::Tensor floor = target.select(0, 0).narrow(0, 65, 3).select(1, 1).mean();
    const at::Tensor rise = (floor - points.select(2, 1)).clamp_min(0) / kTongue;
    const at::Tensor light = kTop + (kBottom - kTop) * (-rise.square()).exp();
    const at::Tensor within = (1 - geometry::smooth_step(shape(inner), -kFeatherIn, kFeatherOut)) * share;
    pixels.add_((colour.view({3, 1, 1}) * light - pixels) * within);
}

}  // namespace omnisync::portable
