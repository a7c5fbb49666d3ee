// Small pictures for people and for what looks at a video: 8 bit RGB, the right way up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "omnisync/frame.h"
#include "omnisync/stream.h"

namespace omnisync {

/// An RGB picture, 8 bits a component, red first, rows from the top without padding between them.
struct Image {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> rgb;  ///< height * width * 3

    Image() = default;
    /// Black.
    Image(int columns, int rows)
        : width(columns), height(rows), rgb(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows) * 3) {}

    [[nodiscard]] std::uint8_t* at(int x, int y) {
        return rgb.data() +
               (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3;
    }
    [[nodiscard]] const std::uint8_t* at(int x, int y) const {
        return rgb.data() +
               (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3;
    }
    friend bool operator==(const Image&, const Image&) = default;
};

/// Luma of 8 bits that somebody else owns. The centre of the top left pixel is (0, 0).
struct GrayView {
    const std::uint8_t* data = nullptr;
    std::ptrdiff_t stride = 0;  ///< bytes from row to row
    int width = 0;
    int height = 0;
};

struct Size {
    int width = 0;
    int height = 0;
    friend bool operator==(const Size&, const Size&) = default;
};

/// The size at which `video` is meant to be seen: turned, and with square pixels (the width is what gives).
[[nodiscard]] Size display_size(const VideoInfo& video);

/// The largest size of the same shape as `size` that fits into `box`, at least 1x1.
[[nodiscard]] Size fit(Size size, Size box);

/// x' = xx x + xy y + dx, y' = yx x + yy y + dy.
struct Affine {
    double xx = 1, xy = 0, dx = 0;
    double yx = 0, yy = 1, dy = 0;
};
[[nodiscard]] Affine inverse(const Affine& map);
/// Where a pixel of the picture as it is stored lies in the upright one (display_size).
[[nodiscard]] Affine stored_to_upright(const VideoInfo& video);

/// Makes images of one video's frames: scaled by averaging, turned and mirrored as the video asks, colours by its
/// matrix and range. Not for exact work: HDR is not mapped, alpha is ignored.
class ImageMaker {
public:
    /// `size` is that of the upright image.
    ImageMaker(const VideoInfo& video, Size size);
    ImageMaker(ImageMaker&&) noexcept;
    ImageMaker& operator=(ImageMaker&&) noexcept;
    ~ImageMaker();

    /// Throws Error(bad_data) for pixel formats that cannot be shown.
    [[nodiscard]] Image make(const Frame& frame);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Upright luma of one video's frames at display_size, 0..255 over the coded range. Where a frame's own luma plane is
/// already that (8 bits, square pixels, not turned), the view shows it without a copy.
class GrayMaker {
public:
    explicit GrayMaker(const VideoInfo& video);
    GrayMaker(GrayMaker&&) noexcept;
    GrayMaker& operator=(GrayMaker&&) noexcept;
    ~GrayMaker();

    /// Valid until the next call, and only while `frame` lives. Throws as ImageMaker::make.
    [[nodiscard]] GrayView make(const Frame& frame);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync
