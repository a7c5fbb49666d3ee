// Frames to small upright RGB images.
extern "C" {
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <cmath>

#include "media/pixels.h"
#include "media/upright.h"
#include "omnisync/picture.h"

namespace omnisync {
namespace media {
namespace {

// What players assume of untagged video: BT.709 for HD, BT.601 below.
int matrix_of(const VideoInfo& video) {
    if (video.colour.matrix != AVCOL_SPC_UNSPECIFIED) return video.colour.matrix;
    return std::min(video.width, video.height) >= 720 ? AVCOL_SPC_BT709 : AVCOL_SPC_SMPTE170M;
}

Scaler make_scaler(const VideoInfo& video, AVPixelFormat format, Size from, Size to) {
    // Averaging needs a shrinking picture; growing ones are interpolated.
    const int filter = to.width < from.width && to.height < from.height ? SWS_AREA : SWS_BICUBIC;
    Scaler scaler(sws_getContext(from.width, from.height, format, to.width, to.height, AV_PIX_FMT_RGB24,
                                 filter | SWS_ACCURATE_RND, nullptr, nullptr, nullptr));
    require(scaler != nullptr, ExitCode::bad_data, "cannot show pixel format ", av_get_pix_fmt_name(format));
    const int* matrix = sws_getCoefficients(matrix_of(video));
    const bool full = video.colour.range == Colour::Range::full;
    sws_setColorspaceDetails(scaler.get(), matrix, full ? 1 : 0, sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, 1 << 16,
                             1 << 16);
    return scaler;
}

}  // namespace
}  // namespace media

struct ImageMaker::State {
    VideoInfo video;
    Size size;    // upright
    Size stored;  // before turning
    media::Scaler scaler;
};

ImageMaker::ImageMaker(const VideoInfo& video, Size size) : state_(std::make_unique<State>()) {
    state_->video = video;
    state_->size = size;
    state_->stored = size;
    if (media::orientation_of(video).swaps_sides()) std::swap(state_->stored.width, state_->stored.height);
}
ImageMaker::ImageMaker(ImageMaker&&) noexcept = default;
ImageMaker& ImageMaker::operator=(ImageMaker&&) noexcept = default;
ImageMaker::~ImageMaker() = default;

Image ImageMaker::make(const Frame& frame) {
    const media::Picture picture = media::to_picture(frame);
    const Size stored = state_->stored;
    if (!state_->scaler)
        state_->scaler = media::make_scaler(state_->video, static_cast<AVPixelFormat>(picture->format),
                                            {picture->width, picture->height}, stored);
    Image image(stored.width, stored.height);
    std::uint8_t* const rows[]{image.rgb.data()};
    const int strides[]{stored.width * 3};
    sws_scale(state_->scaler.get(), picture->data, picture->linesize, 0, picture->height, rows, strides);
    const media::Orientation how = media::orientation_of(state_->video);
    if (how.upright()) return image;
    Image turned(state_->size.width, state_->size.height);
    media::turn({image.rgb.data(), stored.width * 3, stored.width, stored.height}, turned.rgb.data(),
                static_cast<std::ptrdiff_t>(turned.width) * 3, 3, how);
    return turned;
}

}  // namespace omnisync
