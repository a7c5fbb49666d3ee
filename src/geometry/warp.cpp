#include "geometry/warp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace omnisync::geometry {
namespace {

constexpr double kReach = 4;        // the r at which a basis function begins to be straight
constexpr double kStiffness = 0.5;  // what an exact fit is worth against a smooth one

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
    // By hand: the tensors that this would take in between are fifty times the result.
    const std::int64_t batch = centres.size(0), n = centres.size(1), count = points.size(-2);
    const at::Tensor places = points.contiguous(), middles = centres.contiguous(), shares = weights.contiguous();
    const at::Tensor moved = at::empty({batch, count, 2});
    float* out = moved.mutable_data_ptr<float>();
    for (std::int64_t b = 0; b < batch; ++b) {
        const float* const place = places.const_data_ptr<float>() + (points.dim() == 2 ? 0 : b * count * 2);
        const float* const centre = middles.const_data_ptr<float>() + b * n * 2;
        const float* const weight = shares.const_data_ptr<float>() + b * (n + 3) * 2;
        const float* const plane = weight + 2 * n;
        for (std::int64_t i = 0; i < count; ++i) {
            const float x = place[2 * i], y = place[2 * i + 1];
            float to_x = 0, to_y = 0;
            for (std::int64_t k = 0; k < n; ++k) {
                const float dx = x - centre[2 * k], dy = y - centre[2 * k + 1];
                const float r = std::sqrt(dx * dx + dy * dy + static_cast<float>(kReach * kReach));
                to_x -= r * weight[2 * k];
                to_y -= r * weight[2 * k + 1];
            }
            *out++ = to_x + (plane[0] + plane[2] * x + plane[4] * y);
            *out++ = to_y + (plane[1] + plane[3] * x + plane[5] * y);
        }
    }
    return moved;
}

namespace {

/// Of (x, y) to a closed polygon of `sides` (x, y) pairs; even-odd rule.
float signed_distance(const float* polygon, std::int64_t sides, float x, float y) {
    float nearest = std::numeric_limits<float>::max();
    bool inside = false;
    const float* a = polygon + 2 * (sides - 1);
    for (const float* b = polygon; b != polygon + 2 * sides; a = b, b += 2) {
        const float sx = b[0] - a[0], sy = b[1] - a[1];
        const float px = x - a[0], py = y - a[1];
        const float along = std::clamp((px * sx + py * sy) / std::max(sx * sx + sy * sy, 1e-9F), 0.F, 1.F);
        const float ox = px - along * sx, oy = py - along * sy;
        nearest = std::min(nearest, ox * ox + oy * oy);
        if ((a[1] > y) != (b[1] > y) && px < sx * py / sy) inside = !inside;
    }
    return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

}  // namespace

at::Tensor distance_to_polygon(const at::Tensor& polygon, const at::Tensor& points) {
    const at::Tensor corners = polygon.contiguous();
    const at::Tensor places = points.contiguous();
    const std::int64_t batch = corners.size(0), sides = corners.size(1), count = places.size(0);
    const at::Tensor distances = at::empty({batch, count});
    const float* const at = places.const_data_ptr<float>();
    float* out = distances.mutable_data_ptr<float>();
    for (std::int64_t b = 0; b < batch; ++b)
        for (std::int64_t i = 0; i < count; ++i)
            *out++ = signed_distance(corners.const_data_ptr<float>() + b * sides * 2, sides, at[2 * i], at[2 * i + 1]);
    return distances;
}

at::Tensor smooth_step(const at::Tensor& x, double low, double high) {
    const at::Tensor t = ((x - low) / (high - low)).clamp(0, 1);
    return t * t * (3 - 2 * t);
}

double smooth_step(double x, double low, double high) {
    const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
    return t * t * (3 - 2 * t);
}

}  // namespace omnisync::geometry
