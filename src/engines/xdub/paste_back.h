// Soft edges and the way back into the picture: spec section 10.
#pragma once

#include <vector>

#include "engines/xdub/image.h"

namespace omnisync::xdub {

/// The share of the source in each pixel, 0 .. 1.
struct EdgeMask {
    int width = 0;
    int height = 0;
    std::vector<float> shares;  ///< height * width
};

/// Size of a box blur for an image: odd, and small enough for its sides.
[[nodiscard]] int kernel_for(int requested, int height, int width);

/// For the model's own picture: 16 pixels of source all round, blurred by 33 pixels twice.
[[nodiscard]] EdgeMask feather_mask(int width, int height);

/// For a box in a frame: 8 pixels, blurred by 17 twice; none along a side that is also the frame's.
[[nodiscard]] EdgeMask paste_mask(const Box& box, int frame_width, int frame_height);

/// made * (1 - mask) + source * mask, in float32. Throws Error(internal) for sizes that differ.
void blend(Rgb8& made, const Rgb8& source, const EdgeMask& mask, ToByte rule);

/// OpenCV's bilinear resize, bit for bit: it does not average when it makes smaller.
[[nodiscard]] Rgb8 resize_bilinear(const Rgb8& image, int width, int height);

/// Resizes `made` to the box, blends it with what is there and writes it. Throws Error(internal) for a box that is
/// empty or not inside.
void paste_back(Rgb8& frame, const Rgb8& made, const Box& box, ToByte rule);

}  // namespace omnisync::xdub
