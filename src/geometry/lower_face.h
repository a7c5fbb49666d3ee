// The part of the canonical face that speech moves, and the shapes within it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "geometry/warp.h"
#include "omnisync/faces.h"

namespace omnisync::geometry {

/// Canonical landmarks of a face: [1, 68, 2].
[[nodiscard]] at::Tensor canonical_landmarks(const FaceFrame& face);
/// Of many, in one piece: [n, 68, 2].
[[nodiscard]] at::Tensor canonical_landmarks(const std::vector<const FaceFrame*>& faces);

/// What is kept of footage, and within which anything is changed: canonical pixels.
inline constexpr int kRegionX = 16, kRegionY = 48, kRegionWidth = 128, kRegionHeight = 128;
/// What the render network sees: from (32, 62), 96 pixels wide and high.
inline constexpr int kWindowX = 32, kWindowY = 62, kWindowSide = 96;

/// Centres of the window's pixels: [kWindowSide, kWindowSide, 2].
[[nodiscard]] at::Tensor window_points();

/// `values` [B, c, n, n], evenly spread over the window, read at `points` ([H, W, 2] or [B, H, W, 2], canonical):
/// [B, c, H, W], bilinear; 0 outside the window, towards whose edge they fade.
[[nodiscard]] at::Tensor read_window(const at::Tensor& values, const at::Tensor& points);

/// Control points of a lower-face warp out of `landmarks` [B, 68, 2], fixed anchors round the region added: [B, n, 2].
[[nodiscard]] at::Tensor control_points(const at::Tensor& landmarks);

/// Where pixels of the target come from in a picture whose face has the landmarks `from`: displacements at `points`
/// [H, W, 2] or [B, H, W, 2], exactly 0 outside the region. Computed on a coarse grid. `target`, `from`: [B, 68, 2].
[[nodiscard]] at::Tensor region_warp(const at::Tensor& target, const at::Tensor& from, const at::Tensor& points);

/// The grids that region_warp and mattes read between, for kernels that do so themselves: rows and columns of nodes
/// over the region, `step` canonical pixels apart.
inline constexpr int kWarpStep = 4, kMatteStep = 2;
[[nodiscard]] at::Tensor warp_nodes(const at::Tensor& target, const at::Tensor& from);   ///< [B, rows, columns, 2]
[[nodiscard]] at::Tensor matte_nodes(const at::Tensor& target, const at::Tensor& from);  ///< [B, 3, rows, columns]

/// Canonical pixels.
struct Bounds {
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
};
/// What the edit matte of one face ([1, 68, 2] each) does not go beyond.
[[nodiscard]] Bounds edit_bounds(const at::Tensor& target, const at::Tensor& from);

/// Weights 0 .. 1 at `points` (as above) -> [B, H, W].
struct Mattes {
    at::Tensor mouth;  ///< lips and what is between them, grown and feathered
    at::Tensor ring;   ///< skin close around them, where colours are compared
    at::Tensor edit;   ///< all that may change: mouth, chin, moving jaw; exactly 0 outside
};
/// `from`: the landmarks of the frame that is edited; its jaw lies within the edit as well.
[[nodiscard]] Mattes mattes(const at::Tensor& target, const at::Tensor& from, const at::Tensor& points);

}  // namespace omnisync::geometry
