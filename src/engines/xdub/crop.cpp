#include "engines/xdub/crop.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <vector>

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
    const double det = up.xx * up.yy - up.xy * up.yx;
    const auto stored_x = [&](double x, double y) { return (up.yy * (x - up.dx) - up.xy * (y - up.dy)) / det; };
    const auto stored_y = [&](double x, double y) { return (up.xx * (y - up.dy) - up.yx * (x - up.dx)) / det; };
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
    const Affine up = stored_to_upright(video);
    const at::Tensor x = (at::arange(crop.columns, at::kDouble) + (crop.held.x + crop.x)).unsqueeze(0);
    const at::Tensor y = (at::arange(crop.rows, at::kDouble) + (crop.held.y + crop.y)).unsqueeze(1);
    const at::Tensor upright_x = x * up.xx + y * up.xy + up.dx;
    const at::Tensor upright_y = x * up.yx + y * up.yy + up.dy;
    const at::Tensor to_x = upright_x * to_canonical.a - upright_y * to_canonical.b + to_canonical.dx;
    const at::Tensor to_y = upright_x * to_canonical.b + upright_y * to_canonical.a + to_canonical.dy;
    return at::stack({upright(to_x, crop), upright(to_y, crop)}, -1).to(at::kFloat);
}

}  // namespace omnisync::xdub
