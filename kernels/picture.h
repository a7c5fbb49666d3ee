// A picture as it is stored: planes of samples and what they mean. What kernels know of an omnisync::Frame.
#pragma once

#include <cstdint>

namespace omnisync::kernels {

inline constexpr int kMostChromaShift = 3;

/// One plane: stored sample = value * scale + zero. Luma and R'G'B' values are 0 .. 1, colour differences -0.5 .. 0.5.
struct StoredPlane {
    void* data = nullptr;
    std::int64_t stride = 0;  ///< bytes from row to row, any sign
    std::int32_t width = 0;   ///< samples
    std::int32_t height = 0;
    float scale = 1;
    float zero = 0;
};

/// `count` planes (1 or 3) of `bits` (8 .. 16) a sample; above 8, two bytes each in native order, at even addresses or
/// odd. Planes 1 and 2 may be subsampled: sample (i, j) stands for the block of (1 << shift_x) x (1 << shift_y) pixels
/// from (i << shift_x, j << shift_y) on, and lies at its centre.
struct StoredPicture {
    StoredPlane planes[3];
    std::int32_t count = 3;
    std::int32_t bits = 8;
    std::int32_t shift_x = 0;  ///< 0 .. kMostChromaShift
    std::int32_t shift_y = 0;
    float to_planes[9] = {};   ///< [plane][colour]: values of the planes out of R', G', B'
    float to_colours[9] = {};  ///< [colour][plane]: the inverse; with one plane only column 0 counts
};

/// A rectangle of a picture's pixels.
struct PixelArea {
    std::int32_t x = 0;
    std::int32_t y = 0;
    std::int32_t width = 0;
    std::int32_t height = 0;
};

}  // namespace omnisync::kernels
