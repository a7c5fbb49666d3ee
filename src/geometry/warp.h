// Smooth warps between faces: multiquadric radial basis functions with an affine part, through landmark pairs.
// Coordinates are canonical pixels (include/omnisync/faces.h). Batched: B faces at once.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::geometry {

/// A displacement for every point of the plane: where the pixel shown at p comes from, minus p.
struct Warp {
    at::Tensor centres;  ///< [B, n, 2]
    at::Tensor weights;  ///< [B, n + 3, 2]: of the basis functions sqrt(r^2 + 4^2), then 1, x, y

    /// `points` [m, 2] or [B, m, 2] -> [B, m, 2].
    [[nodiscard]] at::Tensor operator()(const at::Tensor& points) const;
};

/// The warp that takes `to` [B, n, 2] from about `from` [B, n, 2]; regularised, so noise of single points is damped.
[[nodiscard]] Warp fit_warp(const at::Tensor& to, const at::Tensor& from);

/// Signed distance of `points` [m, 2] to closed polygons [B, k, 2], negative inside: [B, m]. Self-crossing polygons
/// count as inside where a ray crosses an odd number of sides.
[[nodiscard]] at::Tensor distance_to_polygon(const at::Tensor& polygon, const at::Tensor& points);

/// 0 below `low`, 1 above `high`, smooth between.
[[nodiscard]] at::Tensor smooth_step(const at::Tensor& x, double low, double high);
[[nodiscard]] double smooth_step(double x, double low, double high);

}  // namespace omnisync::geometry
