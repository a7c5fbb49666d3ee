// Pieces of pictures as colours, and back into the picture without touching what lies beside them.
#pragma once

#include <ATen/core/Tensor.h>

#include "omnisync/frame.h"
#include "omnisync/picture.h"

namespace omnisync::compositing {

/// In samples of the stored picture's luma; sides are whole chroma samples.
struct Area {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;
};
/// The smallest area of the frame that holds the given rectangle (any order, any place); width 0 when it lies outside.
[[nodiscard]] Area area_around(const Frame& frame, double x0, double y0, double x1, double y1);

/// Where `map` places the pixels of the area: [height, width, 2] float32.
[[nodiscard]] at::Tensor points_of(const Affine& map, const Area& area);

/// Whether patches of this format can be read and written: planar YUV, RGB and grey of 8 to 16 bits.
[[nodiscard]] bool can_edit(const PixelFormat& format);

/// R'G'B' as coded, 0 .. 1 over the coded range (values beyond are kept), [3, height, width] float32. `colour` decides
/// matrix and range; unspecified: BT.709 from 720 rows on, else BT.601, limited range.
[[nodiscard]] at::Tensor read_patch(const Frame& frame, const Colour& colour, const Area& area);

/// A frame with pixels of its own, equal to `frame`'s, with the same timestamps and origin.
[[nodiscard]] Frame copy_pixels(const Frame& frame);

/// Blends `made` [3, height, width] into `frame` where `weight` [height, width] is above 0, in linear light. What is
/// written is the stored sample plus the difference that blending makes, so a weight of 0, or a `made` equal to what is
/// there, changes no bit. `frame` has pixels of its own. `before`: read_patch() of the same area.
void blend_patch(const Frame& frame, const Colour& colour, const Area& area, const at::Tensor& before,
                 const at::Tensor& made, const at::Tensor& weight);

}  // namespace omnisync::compositing
