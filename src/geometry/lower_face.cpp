#include "geometry/lower_face.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <vector>

namespace omnisync::geometry {
namespace {

constexpr double kEditReach = 9;  // beyond lips and jaw nothing changes
constexpr double kWindowFade = 6;
constexpr double kFade = 10;  // over so many pixels a warp fades out towards the region's edge

// Bilinear, a clamp at the edge (ATen's numbers for the modes).
constexpr int kBilinear = 0;
constexpr int kBorder = 1;

at::Tensor lattice(double x0, double y0, int columns, int rows, double step) {
    const at::Tensor x = at::arange(columns, at::kFloat) * step + x0;
    const at::Tensor y = at::arange(rows, at::kFloat) * step + y0;
    const auto grids = at::meshgrid({y, x}, "ij");
    return at::stack({grids[1], grids[0]}, -1);
}

at::Tensor nodes(int step) {
    return lattice(kRegionX, kRegionY, kRegionWidth / step + 1, kRegionHeight / step + 1, step);
}

/// `values` [B, c, rows, columns] on the nodes, read at `points`: [B, c, H, W].
at::Tensor read_nodes(const at::Tensor& values, const at::Tensor& points) {
    const at::Tensor origin = at::tensor({static_cast<float>(kRegionX), static_cast<float>(kRegionY)});
    const at::Tensor size = at::tensor({static_cast<float>(kRegionWidth), static_cast<float>(kRegionHeight)});
    const at::Tensor place = (points - origin) / size * 2 - 1;
    const at::Tensor each = place.dim() == 3 ? place.unsqueeze(0).expand({values.size(0), -1, -1, -1}) : place;
    return at::grid_sampler_2d(values, each, kBilinear, kBorder, true);
}

/// 1 inside the region, 0 at its edge and beyond.
at::Tensor fade(const at::Tensor& points) {
    const at::Tensor x = points.select(-1, 0) - kRegionX;
    const at::Tensor y = points.select(-1, 1) - kRegionY;
    const at::Tensor inside = at::minimum(at::minimum(x, kRegionWidth - x), at::minimum(y, kRegionHeight - y));
    return smooth_step(inside, 0, kFade);
}

at::Tensor points_of(const at::Tensor& landmarks, const std::vector<std::int64_t>& which) {
    return landmarks.index_select(1, at::tensor(which));
}

const std::vector<std::int64_t> kOuterLips{48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59};
// Clockwise from the viewer's left: jaw, then up to the nose's base.
const std::vector<std::int64_t> kMovingFace{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 35, 33, 31};

}  // namespace

at::Tensor canonical_landmarks(const FaceFrame& face) {
    return canonical_landmarks(std::vector{&face});
}

at::Tensor canonical_landmarks(const std::vector<const FaceFrame*>& faces) {
    const at::Tensor out = at::empty({static_cast<std::int64_t>(faces.size()), kLandmarks, 2});
    float* to = out.mutable_data_ptr<float>();
    for (const FaceFrame* face : faces)
        for (const Point& point : face->landmarks) {
            const Point place = face->to_canonical(point);
            *to++ = place.x;
            *to++ = place.y;
        }
    return out;
}

at::Tensor window_points() {
    return lattice(kWindowX, kWindowY, kWindowSide, kWindowSide, 1);
}

at::Tensor read_window(const at::Tensor& values, const at::Tensor& points) {
    const at::Tensor each = points.dim() == 3 ? points.unsqueeze(0).expand({values.size(0), -1, -1, -1}) : points;
    const at::Tensor inside = each - at::tensor({kWindowX - 0.5F, kWindowY - 0.5F});
    const at::Tensor edge = at::minimum(inside, kWindowSide - inside);
    const at::Tensor fading = smooth_step(at::minimum(edge.select(-1, 0), edge.select(-1, 1)), 0.5, kWindowFade);
    const at::Tensor read = at::grid_sampler_2d(values, inside / kWindowSide * 2 - 1, kBilinear, kBorder, false);
    return read * fading.unsqueeze(1);
}

at::Tensor control_points(const at::Tensor& landmarks) {
    static const at::Tensor anchors =
        at::tensor({16.F, 60.F,  44.F,  56.F,  80.F, 54.F,  116.F, 56.F,  144.F, 60.F,  12.F,  100.F, 148.F, 100.F,
                    12.F, 140.F, 148.F, 140.F, 16.F, 180.F, 56.F,  184.F, 80.F,  186.F, 104.F, 184.F, 144.F, 180.F})
            .view({-1, 2});
    return at::cat({landmarks.narrow(1, 3, 11), points_of(landmarks, {30, 31, 33, 35}), landmarks.narrow(1, 48, 20),
                    anchors.unsqueeze(0).expand({landmarks.size(0), -1, -1})},
                   1);
}

at::Tensor warp_nodes(const at::Tensor& target, const at::Tensor& from) {
    const Warp warp = fit_warp(control_points(target), control_points(from));
    const at::Tensor grid = nodes(kWarpStep);
    const at::Tensor moved = warp(grid.view({-1, 2})).view({target.size(0), grid.size(0), grid.size(1), 2});
    return moved * fade(grid).unsqueeze(-1);
}

at::Tensor region_warp(const at::Tensor& target, const at::Tensor& from, const at::Tensor& points) {
    const at::Tensor fading = warp_nodes(target, from);
    const at::Tensor at_points = read_nodes(fading.permute({0, 3, 1, 2}), points).permute({0, 2, 3, 1});
    // The clamp at the region's edge reads 0 there already; beyond it too.
    return at_points.contiguous();
}

Bounds edit_bounds(const at::Tensor& target, const at::Tensor& from) {
    const at::Tensor all =
        at::cat({points_of(target, kMovingFace), points_of(from, kMovingFace), points_of(target, kOuterLips)}, 1)[0];
    const at::Tensor low = std::get<0>(all.min(0)) - (kEditReach + kMatteStep);
    const at::Tensor high = std::get<0>(all.max(0)) + (kEditReach + kMatteStep);
    return {std::max<double>(kRegionX, low[0].item<double>()), std::max<double>(kRegionY, low[1].item<double>()),
            std::min<double>(kRegionX + kRegionWidth, high[0].item<double>()),
            std::min<double>(kRegionY + kRegionHeight, high[1].item<double>())};
}

at::Tensor matte_nodes(const at::Tensor& target, const at::Tensor& from) {
    const at::Tensor grid = nodes(kMatteStep);
    const at::Tensor flat = grid.view({-1, 2});
    const at::Tensor lips = distance_to_polygon(points_of(target, kOuterLips), flat);
    const at::Tensor face = at::minimum(distance_to_polygon(points_of(target, kMovingFace), flat),
                                        distance_to_polygon(points_of(from, kMovingFace), flat));
    const at::Tensor mouth = 1 - smooth_step(lips, 1, kEditReach - 1);
    const at::Tensor around = 1 - smooth_step(lips, 8, 14);
    const at::Tensor edit = (1 - smooth_step(face, 1, kEditReach)) * fade(flat);
    return at::stack({mouth, around * (1 - mouth), at::maximum(edit, mouth * fade(flat))}, 1)
        .view({target.size(0), 3, grid.size(0), grid.size(1)});
}

Mattes mattes(const at::Tensor& target, const at::Tensor& from, const at::Tensor& points) {
    const at::Tensor read = read_nodes(matte_nodes(target, from), points);
    return {read.select(1, 0), read.select(1, 1), read.select(1, 2)};
}

}  // namespace omnisync::geometry
