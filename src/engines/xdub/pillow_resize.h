// Pillow's bilinear resize, bit for bit: spec section 9, F11. Unlike most, it averages when it makes smaller.
#pragma once

#include "engines/xdub/image.h"

namespace omnisync::xdub {

/// Triangle filter as wide as the reduction, weights in 22-bit fixed point, 8 bits between the horizontal pass (first)
/// and the vertical. Throws Error(internal) for empty sizes.
[[nodiscard]] Rgb8 pillow_resize(const Rgb8& image, int width, int height);

/// The same of a part of an image; what lies beside the box has no influence. Throws Error(internal) for a box that is
/// empty or not inside.
[[nodiscard]] Rgb8 crop_resized(const Rgb8& image, const Box& box, int width, int height);

}  // namespace omnisync::xdub
