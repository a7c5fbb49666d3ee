#include "media/upright.h"

#include <cstring>
#include <utility>

namespace omnisync::media {
namespace {

template <std::size_t Bytes>
void turn_samples(const ConstPlane& from, std::uint8_t* to, std::ptrdiff_t to_stride, Orientation how) {
    const int width = how.swaps_sides() ? from.height : from.width;
    const int height = how.swaps_sides() ? from.width : from.height;
    // The walk through the source that one step to the right in the target means.
    const std::ptrdiff_t right = static_cast<std::ptrdiff_t>(Bytes);
    const std::ptrdiff_t down = from.stride;
    for (int y = 0; y < height; ++y) {
        const std::uint8_t* source = from.data;
        std::ptrdiff_t step = right;
        switch (how.rotation) {
            case 90:
                source += (from.height - 1) * down + y * right;
                step = -down;
                break;
            case 180:
                source += (from.height - 1 - y) * down + (from.width - 1) * right;
                step = -right;
                break;
            case 270:
                source += (from.width - 1 - y) * right;
                step = down;
                break;
            default:
                source += y * down;
        }
        if (how.mirrored) {
            source += (width - 1) * step;
            step = -step;
        }
        std::uint8_t* target = to + y * to_stride;
        for (int x = 0; x < width; ++x, target += Bytes, source += step) std::memcpy(target, source, Bytes);
    }
}

}  // namespace

void turn(const ConstPlane& from, std::uint8_t* to, std::ptrdiff_t to_stride, std::size_t bytes, Orientation how) {
    switch (bytes) {
        case 1:
            return turn_samples<1>(from, to, to_stride, how);
        case 2:
            return turn_samples<2>(from, to, to_stride, how);
        case 3:
            return turn_samples<3>(from, to, to_stride, how);
        default:
            return turn_samples<4>(from, to, to_stride, how);
    }
}

bool can_turn(AVPixelFormat format) {
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    return description != nullptr && av_pix_fmt_count_planes(format) == description->nb_components &&
           description->log2_chroma_w == description->log2_chroma_h;
}

Picture turn(const AVFrame& from, Orientation how) {
    const auto format = static_cast<AVPixelFormat>(from.format);
    const AVPixFmtDescriptor* description = av_pix_fmt_desc_get(format);
    Picture result = make_picture();
    result->format = from.format;
    result->width = how.swaps_sides() ? from.height : from.width;
    result->height = how.swaps_sides() ? from.width : from.height;
    check(av_frame_get_buffer(result.get(), 0), ExitCode::internal, "cannot hold a picture");
    check(av_frame_copy_props(result.get(), &from), ExitCode::internal, "cannot copy a picture's properties");
    const bool rgb = (description->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    for (int i = 0; i < av_pix_fmt_count_planes(format); ++i) {
        const int shift = (i == 1 || i == 2) && !rgb ? description->log2_chroma_w : 0;
        const ConstPlane plane{from.data[i], from.linesize[i], AV_CEIL_RSHIFT(from.width, shift),
                               AV_CEIL_RSHIFT(from.height, shift)};
        turn(plane, result->data[i], result->linesize[i], description->comp[0].depth > 8 ? 2 : 1, how);
    }
    return result;
}

}  // namespace omnisync::media
