// Rectangles of the upright picture, cut out of stored frames and pasted back.
#pragma once

#include <ATen/core/Tensor.h>

#include "compositing/patch.h"
#include "engines/xdub/image.h"
#include "omnisync/faces.h"
#include "omnisync/frame.h"
#include "omnisync/stream.h"

namespace omnisync::xdub {

/// Where a rectangle of the upright picture lies in the stored one. Stored pictures are turned by quarters, mirrored
/// and stretched against the upright one, never slanted.
struct Crop {
    compositing::Area held;  ///< stored samples read and written: the rectangle, grown to whole chroma samples
    int x = 0, y = 0;        ///< the rectangle within `held`
    std::int64_t rows = 0, columns = 0;            ///< of the rectangle as it is stored
    bool turned = false;                           ///< its rows are upright columns
    bool flip_rows = false, flip_columns = false;  ///< after turning
};
/// `box` lies within the upright picture of `video`, of which `frame` is one.
[[nodiscard]] Crop crop_of(const Frame& frame, const VideoInfo& video, const Box& box);

/// R'G'B' as coded, upright, at the stored picture's resolution: [3, h, w] float32 (compositing::read_patch).
[[nodiscard]] at::Tensor cut(const Frame& frame, const VideoInfo& video, const Crop& crop);

/// Blends `made` [3, h, w] into `frame`, which has pixels of its own, where `weight` [h, w] is above 0; both upright,
/// shaped as cut() gives them (compositing::blend_patch).
void paste(const Frame& frame, const VideoInfo& video, const Crop& crop, const at::Tensor& made,
           const at::Tensor& weight);

/// Canonical coordinates of the pixels of cut(): [h, w, 2].
[[nodiscard]] at::Tensor canonical_points(const Crop& crop, const VideoInfo& video, const Similarity& to_canonical);

}  // namespace omnisync::xdub
