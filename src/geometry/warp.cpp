#include "geometry/warp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

namespace omnisync::geometry {
namespace {

constexpr double kReach = 4;      // the r at which a basis function begins to be straight
constexpr double kStiffness = 2;  // what an exact fit is worth against a smooth one

/// [B, a, 2], [B, b, 2] -> [B, a, b]. Negative: -sqrt(r^2 + c^2) is conditionally positive definite, so that stiffness
/// on the diagonal smooths.
at::Tensor basis(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor apart = a.unsqueeze(2) - b.unsqueeze(1);
    return -at::sqrt(apart.square().sum(-1) + kReach * kReach);
}

at::Tensor with_one(const at::Tensor& points) {  // [B, n, 2] -> [B, n, 3]
    return at::cat({at::ones({points.size(0), points.size(1), 1}, points.options()), points}, 2);
}

}  // namespace

Warp fit_warp(const at::Tensor& to, const at::Tensor& from) {
    const at::Tensor centres = to.to(at::kDouble);
    const std::int64_t batch = centres.size(0);
    const std::int64_t n = centres.size(1);
    const at::Tensor plane = with_one(centres);
    const at::Tensor stiff = basis(centres, centres) + kStiffness * at::eye(n, centres.options());
    const at::Tensor zeros = at::zeros({batch, 3, 3}, centres.options());
    const at::Tensor system = at::cat({at::cat({stiff, plane}, 2), at::cat({plane.transpose(1, 2), zeros}, 2)}, 1);
    const at::Tensor wanted = at::cat({from.to(at::kDouble) - centres, at::zeros({batch, 3, 2}, centres.options())}, 1);
    return {to, at::linalg_solve(system, wanted).to(at::kFloat)};
}

at::Tensor Warp::operator()(const at::Tensor& points) const {
    const at::Tensor all = points.dim() == 2 ? points.unsqueeze(0).expand({centres.size(0), -1, -1}) : points;
    return at::matmul(at::cat({basis(all, centres), with_one(all)}, 2), weights);
}

at::Tensor distance_to_polygon(const at::Tensor& polygon, const at::Tensor& points) {
    const at::Tensor a = polygon.unsqueeze(1);  // [B, 1, k, 2]
    const at::Tensor b = polygon.roll(1, 1).unsqueeze(1);
    const at::Tensor p = points.view({1, -1, 1, 2});  // [1, m, 1, 2]
    const at::Tensor side = b - a;
    const at::Tensor along = ((p - a) * side).sum(-1) / side.square().sum(-1).clamp_min(1e-9);
    const at::Tensor off = p - a - side * along.clamp(0, 1).unsqueeze(-1);
    const at::Tensor distance = std::get<0>(off.square().sum(-1).min(-1)).sqrt();
    const at::Tensor px = p.select(-1, 0), py = p.select(-1, 1);
    const at::Tensor ax = a.select(-1, 0), ay = a.select(-1, 1), bx = b.select(-1, 0), by = b.select(-1, 1);
    const at::Tensor spans = (ay > py) != (by > py);
    const at::Tensor safe = at::where(spans, by - ay, at::ones({1}));
    const at::Tensor crosses = spans & (px < ax + (bx - ax) * (py - ay) / safe);
    return at::where(crosses.sum(-1).remainder(2) > 0, -distance, distance);
}

at::Tensor smooth_step(const at::Tensor& x, double low, double high) {
    const at::Tensor t = ((x - low) / (high - low)).clamp(0, 1);
    return t * t * (3 - 2 * t);
}

}  // namespace omnisync::geometry
