// Frames to upright luma: a view of the frame's own samples where they are that already.
extern "C" {
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <string_view>
#include <utility>

#include "media/pixels.h"
#include "media/upright.h"
#include "omnisync/picture.h"

namespace omnisync {
namespace media {
namespace {

/// Bytes of one plane of 8-bit luma; rows without padding.
struct Plane8 {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> bytes;

    void resize(Size size) {
        width = size.width;
        height = size.height;
        bytes.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
    }
    [[nodiscard]] std::uint8_t* row(int y) {
        return bytes.data() + static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
    [[nodiscard]] GrayView view() const { return {bytes.data(), width, width, height}; }
};

/// Whether the first component is luma that lies evenly in its plane, in whole bytes.
bool has_luma(const AVPixFmtDescriptor& format) {
    constexpr std::uint64_t kOther = AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM |
                                     AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT;
    return (format.flags & kOther) == 0 && format.comp[0].depth >= 8 &&
           !std::string_view(format.name).starts_with("xyz") &&
           // UYYVYY411: two samples, a gap, two samples.
           !(format.log2_chroma_w > 1 && format.comp[1].plane == 0 && format.nb_components > 1);
}

/// To the most significant 8 bits, rounded.
void copy_luma(const AVFrame& picture, const AVPixFmtDescriptor& format, Plane8& to) {
    const AVComponentDescriptor& luma = format.comp[0];
    to.resize({picture.width, picture.height});
    const int drop = luma.depth - 8;
    const unsigned half = drop > 0 ? 1U << (drop - 1) : 0U;
    // Samples are stored with their low byte first, or last.
    const int low = (format.flags & AV_PIX_FMT_FLAG_BE) != 0 ? 1 : 0;
    for (int y = 0; y < picture.height; ++y) {
        const std::uint8_t* from =
            picture.data[luma.plane] + luma.offset + y * static_cast<std::ptrdiff_t>(picture.linesize[luma.plane]);
        std::uint8_t* row = to.row(y);
        if (drop == 0) {
            for (int x = 0; x < picture.width; ++x, from += luma.step) row[x] = *from;
            continue;
        }
        for (int x = 0; x < picture.width; ++x, from += luma.step) {
            const unsigned sample = (from[low] | static_cast<unsigned>(from[1 - low]) << 8U) >> luma.shift;
            row[x] = static_cast<std::uint8_t>(std::min(255U, (sample + half) >> drop));
        }
    }
}

/// BT.601's weights, as every grey picture of 8 bit RGB has them.
void weigh_colours(const Image& image, Plane8& to) {
    to.resize({image.width, image.height});
    const std::uint8_t* from = image.rgb.data();
    for (std::uint8_t& grey : to.bytes) {
        grey = static_cast<std::uint8_t>((19595U * from[0] + 38470U * from[1] + 7471U * from[2] + 32768U) >> 16U);
        from += 3;
    }
}

}  // namespace
}  // namespace media

struct GrayMaker::State {
    media::Orientation how;
    Size stored;  // square pixels, before turning
    ImageMaker colours;
    media::Plane8 luma;    // 8 bits, as coded
    media::Plane8 square;  // `luma` with square pixels
    media::Plane8 turned;
    media::Scaler scaler;
    Size scaled_from;

    void scale(const GrayView& from);
};

void GrayMaker::State::scale(const GrayView& from) {
    if (!scaler || scaled_from != Size{from.width, from.height}) {
        const bool shrinks = stored.width < from.width && stored.height < from.height;
        scaler.reset(sws_getContext(from.width, from.height, AV_PIX_FMT_GRAY8, stored.width, stored.height,
                                    AV_PIX_FMT_GRAY8, (shrinks ? SWS_AREA : SWS_BICUBIC) | SWS_ACCURATE_RND, nullptr,
                                    nullptr, nullptr));
        require(scaler != nullptr, ExitCode::bad_data, "cannot scale ", from.width, "x", from.height, " to ",
                stored.width, "x", stored.height);
        scaled_from = {from.width, from.height};
    }
    square.resize(stored);
    const std::uint8_t* const source[]{from.data};
    const int source_strides[]{static_cast<int>(from.stride)};
    std::uint8_t* const target[]{square.bytes.data()};
    const int target_strides[]{stored.width};
    sws_scale(scaler.get(), source, source_strides, 0, from.height, target, target_strides);
}

namespace {

Size before_turning(const VideoInfo& video) {
    Size size = display_size(video);
    if (media::orientation_of(video).swaps_sides()) std::swap(size.width, size.height);
    return size;
}

VideoInfo unturned(VideoInfo video) {
    video.rotation = 0;
    video.mirrored = false;
    return video;
}

}  // namespace

GrayMaker::GrayMaker(const VideoInfo& video)
    : state_(new State{media::orientation_of(video),
                       before_turning(video),
                       ImageMaker(unturned(video), before_turning(video)),
                       {},
                       {},
                       {},
                       {},
                       {}}) {}
GrayMaker::GrayMaker(GrayMaker&&) noexcept = default;
GrayMaker& GrayMaker::operator=(GrayMaker&&) noexcept = default;
GrayMaker::~GrayMaker() = default;

GrayView GrayMaker::make(const Frame& frame) {
    State& state = *state_;
    const media::Picture picture = media::to_picture(frame);
    const AVPixFmtDescriptor* format = av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture->format));
    GrayView view;
    if (format != nullptr && media::has_luma(*format)) {
        const AVComponentDescriptor& luma = format->comp[0];
        if (luma.depth == 8 && luma.step == 1) {
            view = {picture->data[luma.plane] + luma.offset, picture->linesize[luma.plane], picture->width,
                    picture->height};
        } else {
            media::copy_luma(*picture, *format, state.luma);
            view = state.luma.view();
        }
        if (Size{view.width, view.height} != state.stored) {
            state.scale(view);
            view = state.square.view();
        }
    } else {
        media::weigh_colours(state.colours.make(frame), state.luma);
        view = state.luma.view();
    }
    if (state.how.upright()) return view;
    state.turned.resize(state.how.swaps_sides() ? Size{view.height, view.width} : Size{view.width, view.height});
    media::turn({view.data, view.stride, view.width, view.height}, state.turned.bytes.data(), state.turned.width, 1,
                state.how);
    return state.turned.view();
}

}  // namespace omnisync
