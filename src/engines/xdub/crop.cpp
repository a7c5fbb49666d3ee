#include "engines/xdub/crop.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/flip.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/canonical_face.h"
#include "omnisync/picture.h"

namespace omnisync::xdub {
namespace {

/// From stored to upright orientation, over the last two dimensions.
at::Tensor upright(const at::Tensor& stored, const Crop& crop) {
    at::Tensor out = crop.turned ? stored.transpose(-1, -2) : stored;
    if (crop.flip_rows) out = at::flip(out, {-2});
    if (crop.flip_columns) out = at::flip(out, {-1});
    return out;
}

at::Tensor as_stored(const at::Tensor& upright_one, const Crop& crop) {
    at::Tensor out = upright_one;
    if (crop.flip_columns) out = at::flip(out, {-1});
    if (crop.flip_rows) out = at::flip(out, {-2});
    return crop.turned ? out.transpose(-1, -2) : out;
}

}  // namespace

Crop crop_of(const Frame& frame, const VideoInfo& video, const Box& box) {
    const Affine up = stored_to_upright(video);
    const Affine down = inverse(up);
    const auto stored_x = [&](double x, double y) { return down.xx * x + down.xy * y + down.dx; };
    const auto stored_y = [&](double x, double y) { return down.yx * x + down.yy * y + down.dy; };
    // Edges lie half a pixel before the first centre and after the last.
    const double x[2] = {stored_x(box.x1 - 0.5, box.y1 - 0.5) + 0.5, stored_x(box.x2 - 0.5, box.y2 - 0.5) + 0.5};
    const double y[2] = {stored_y(box.x1 - 0.5, box.y1 - 0.5) + 0.5, stored_y(box.x2 - 0.5, box.y2 - 0.5) + 0.5};
    const auto side = [](double v, int most) { return std::clamp(static_cast<int>(std::lround(v)), 0, most); };
    const int left = side(std::min(x[0], x[1]), frame.width - 1), right = side(std::max(x[0], x[1]), frame.width);
    const int top = side(std::min(y[0], y[1]), frame.height - 1), bottom = side(std::max(y[0], y[1]), frame.height);
    Crop crop;
    crop.columns = std::max(1, right - left);
    crop.rows = std::max(1, bottom - top);
    crop.held = compositing::area_around(frame, left, top, left + static_cast<double>(crop.columns) - 1,
                                         top + static_cast<double>(crop.rows) - 1);
    crop.x = left - crop.held.x;
    crop.y = top - crop.held.y;
    crop.turned = std::abs(up.xy) > std::abs(up.xx);
    crop.flip_columns = (crop.turned ? up.xy : up.xx) < 0;
    crop.flip_rows = (crop.turned ? up.yx : up.yy) < 0;
    return crop;
}

at::Tensor cut(const Frame& frame, const VideoInfo& video, const Crop& crop) {
    const at::Tensor held = compositing::read_patch(frame, video.colour, crop.held);
    return upright(held.narrow(1, crop.y, crop.rows).narrow(2, crop.x, crop.columns), crop).contiguous();
}

void paste(const Frame& frame, const VideoInfo& video, const Crop& crop, const at::Tensor& made,
           const at::Tensor& weight) {
    const std::vector<std::int64_t> margins{crop.x, crop.held.width - crop.x - crop.columns, crop.y,
                                            crop.held.height - crop.y - crop.rows};
    const auto grown = [&](const at::Tensor& one) {
        return at::constant_pad_nd(as_stored(one, crop), margins, 0).contiguous();
    };
    const at::Tensor before = compositing::read_patch(frame, video.colour, crop.held);
    compositing::blend_patch(frame, video.colour, crop.held, before, grown(made), grown(weight));
}

at::Tensor canonical_points(const Crop& crop, const VideoInfo& video, const Similarity& to_canonical) {
    const compositing::Area area{crop.held.x + crop.x, crop.held.y + crop.y, static_cast<int>(crop.columns),
                                 static_cast<int>(crop.rows)};
    const at::Tensor stored = compositing::points_of(stored_to_canonical(video, to_canonical), area);
    return upright(stored.permute({2, 0, 1}), crop).permute({1, 2, 0});
}

}  // namespace omnisync::xdub
