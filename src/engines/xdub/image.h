// Pictures and boxes as the X-Dub engine handles them between a decoded frame and the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace omnisync::xdub {

/// 8-bit RGB: rows from the top, three samples a pixel, no padding. Copying copies the samples.
struct Rgb8 {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> samples;  ///< height * width * 3

    Rgb8() = default;
    Rgb8(int w, int h) : width(w), height(h), samples(static_cast<std::size_t>(w) * static_cast<std::size_t>(h) * 3) {}
    [[nodiscard]] std::size_t row_samples() const { return static_cast<std::size_t>(width) * 3; }
    [[nodiscard]] std::uint8_t* row(int y) { return samples.data() + static_cast<std::size_t>(y) * row_samples(); }
    [[nodiscard]] const std::uint8_t* row(int y) const {
        return samples.data() + static_cast<std::size_t>(y) * row_samples();
    }
    friend bool operator==(const Rgb8&, const Rgb8&) = default;
};

/// Whole pixels; x2 and y2 lie just outside.
struct Box {
    int x1 = 0;
    int y1 = 0;
    int x2 = 0;
    int y2 = 0;

    [[nodiscard]] int width() const { return x2 - x1; }
    [[nodiscard]] int height() const { return y2 - y1; }
    friend bool operator==(const Box&, const Box&) = default;
};

/// How a real value becomes a byte. The released X-Dub cuts the fraction off everywhere, which darkens by half a level
/// each time and loses a level where two equal bytes are blended.
enum class ToByte {
    nearest,
    truncate,  ///< the released program's numbers
};

}  // namespace omnisync::xdub
