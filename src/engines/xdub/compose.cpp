#include "engines/xdub/compose.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/from_blob.h>

#include <vector>

#include "engines/xdub/paste_back.h"
#include "engines/xdub/pillow_resize.h"
#include "engines/xdub/pixels.h"
#include "geometry/lower_face.h"

namespace omnisync::xdub {
namespace {

// Canonical pixels that a mouth may open beyond the source's: the matte has to hold the jaw that goes with it.
constexpr float kJawTravel = 12;

/// The share of the made face in each pixel of the crop, [h, w].
at::Tensor lower_face(const Crop& crop, const VideoInfo& video, const FaceFrame& face) {
    const at::Tensor now = geometry::canonical_landmarks(face);
    const at::Tensor open = now.clone();
    open.select(2, 1).narrow(1, 5, 7).add_(kJawTravel);   // chin
    open.select(2, 1).narrow(1, 55, 5).add_(kJawTravel);  // lower lip, outside
    open.select(2, 1).narrow(1, 65, 3).add_(kJawTravel);  // inside
    return geometry::mattes(open, now, canonical_points(crop, video, face.to_canonical)).edit[0];
}

/// 1 within the box, 0 along those of its sides that lie inside the picture, softly: [h, w] of the crop.
at::Tensor soft_sides(const Box& box, Size upright, std::int64_t rows, std::int64_t columns) {
    EdgeMask mask = paste_mask(box, upright.width, upright.height);
    const at::Tensor shares = at::from_blob(mask.shares.data(), {1, 1, mask.height, mask.width}, at::kFloat);
    if (mask.height == rows && mask.width == columns) return 1 - shares[0][0];
    return 1 - at::_upsample_bicubic2d_aa(shares, {rows, columns}, false)[0][0].clamp(0, 1);
}

}  // namespace

Rgb8 model_picture(const Frame& frame, const VideoInfo& video, const Box& box, int width, int height) {
    return pillow_resize(from_colours(cut(frame, video, crop_of(frame, video, box))), width, height);
}

void compose(const Frame& frame, const VideoInfo& video, Size upright, const Box& box, const FaceFrame& face,
             const Rgb8& made, Taken taken) {
    const Crop crop = crop_of(frame, video, box);
    const std::int64_t rows = crop.turned ? crop.columns : crop.rows;
    const std::int64_t columns = crop.turned ? crop.rows : crop.columns;
    const at::Tensor pixels = at::_upsample_bicubic2d_aa(to_colours(made).unsqueeze(0), {rows, columns}, false)[0];
    at::Tensor weight = soft_sides(box, upright, rows, columns);
    if (taken == Taken::lower_face) weight = weight * lower_face(crop, video, face);
    paste(frame, video, crop, pixels, weight);
}

}  // namespace omnisync::xdub
