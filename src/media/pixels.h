// Pictures between libav's form and ours.
#pragma once

#include "media/av.h"
#include "omnisync/frame.h"
#include "omnisync/stream.h"

namespace omnisync::media {

/// Describes libav's pixel format; "yuvj" names become their plain twins (full range is said by the colour).
[[nodiscard]] PixelFormat describe(AVPixelFormat format);
[[nodiscard]] AVPixelFormat without_range(AVPixelFormat format);  ///< yuvj420p -> yuv420p and so on

[[nodiscard]] bool is_rgb(AVPixelFormat format);

/// Colour of a decoded picture; fields it leaves open are taken from the stream's parameters.
[[nodiscard]] Colour colour_of(const AVFrame& picture, const AVCodecParameters& stream);

/// Wraps a decoded picture: no copy, the frame keeps it alive.
[[nodiscard]] Frame to_frame(Picture picture, Pts pts, std::int64_t duration);

/// The reverse: a libav picture over the frame's pixels (no copy) with the properties of its origin. The frame must
/// outlive no one: the picture holds a handle.
[[nodiscard]] Picture to_picture(const Frame& frame);

/// Turns pictures into one size and pixel format (bicubic, accurate rounding); colour tags are handed on.
class PictureConverter {
public:
    /// `full_luma`: what comes from RGB gets luma of full range, as in JPEG files, instead of video's limited range.
    PictureConverter(int width, int height, AVPixelFormat format, bool full_luma = false)
        : width_(width), height_(height), format_(without_range(format)), full_luma_(full_luma) {}
    [[nodiscard]] bool fits(const AVFrame& picture) const {
        return picture.width == width_ && picture.height == height_ &&
               without_range(static_cast<AVPixelFormat>(picture.format)) == format_;
    }
    [[nodiscard]] Picture convert(const AVFrame& picture);

private:
    int width_;
    int height_;
    AVPixelFormat format_;
    bool full_luma_;
    Scaler scaler_;
    int from_width_ = 0;
    int from_height_ = 0;
    int from_format_ = -1;
};

}  // namespace omnisync::media
