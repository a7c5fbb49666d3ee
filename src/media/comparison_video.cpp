#include "media/comparison_video.h"

extern "C" {
#include <libavutil/imgutils.h>
}

#include <algorithm>
#include <cstring>

namespace omnisync::media {
namespace {

constexpr int kGap = 4;  // pixels between the two pictures, black

int bytes_of(const AVFrame& picture) {
    return av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format))->comp[0].depth > 8 ? 2 : 1;
}
int bits_of(const AVFrame& picture) {
    return av_pix_fmt_desc_get(static_cast<AVPixelFormat>(picture.format))->comp[0].depth;
}
// The formats shown are 4:2:0.
int chroma(int plane) {
    return plane == 0 ? 0 : 1;
}

Picture blank(int width, int height, const AVFrame& like) {
    Picture picture = make_picture();
    check(av_frame_copy_props(picture.get(), &like), ExitCode::internal, "cannot copy a picture's properties");
    picture->format = like.format;
    picture->width = width;
    picture->height = height;
    picture->interlaced_frame = 0;
    check(av_frame_get_buffer(picture.get(), 0), ExitCode::internal, "cannot hold a picture");
    const std::ptrdiff_t strides[]{picture->linesize[0], picture->linesize[1], picture->linesize[2], 0};
    check(av_image_fill_black(picture->data, strides, static_cast<AVPixelFormat>(picture->format), picture->color_range,
                              width, height),
          ExitCode::internal, "cannot fill a picture");
    return picture;
}

void place(const AVFrame& from, AVFrame& to, int left) {
    const auto bytes = static_cast<std::size_t>(bytes_of(from));
    for (int p = 0; p < 3; ++p)
        for (int y = 0; y < from.height >> chroma(p); ++y)
            std::memcpy(to.data[p] + static_cast<std::ptrdiff_t>(y) * to.linesize[p] +
                            static_cast<std::ptrdiff_t>(bytes) * (left >> chroma(p)),
                        from.data[p] + static_cast<std::ptrdiff_t>(y) * from.linesize[p],
                        bytes * static_cast<std::size_t>(from.width >> chroma(p)));
}

template <class Sample>
void subtract(const AVFrame& a, const AVFrame& b, AVFrame& result) {
    const auto row = [](const AVFrame& picture, int plane, int y) {
        return reinterpret_cast<const Sample*>(picture.data[plane] +
                                               static_cast<std::ptrdiff_t>(y) * picture.linesize[plane]);
    };
    const int bits = bits_of(a);
    const bool full = a.color_range == AVCOL_RANGE_JPEG;
    const int black = full ? 0 : 16 << (bits - 8);
    const int white = full ? (1 << bits) - 1 : 235 << (bits - 8);
    for (int y = 0; y < a.height; ++y) {
        auto* target = reinterpret_cast<Sample*>(result.data[0] + static_cast<std::ptrdiff_t>(y) * result.linesize[0]);
        for (int x = 0; x < a.width; ++x) {
            int sum = 0;
            for (int p = 0; p < 3; ++p) {
                const int shift = chroma(p);
                sum += std::abs(int{row(a, p, y >> shift)[x >> shift]} - int{row(b, p, y >> shift)[x >> shift]});
            }
            target[x] = static_cast<Sample>(std::min(white, black + kAmplified * sum));
        }
    }
}

VideoInfo describe_result(const VideoInfo& a, const PictureForm& form, ComparisonMode mode) {
    VideoInfo result = a;
    if (orientation_of(a).swaps_sides() && a.sample_aspect.valid())
        result.sample_aspect = {a.sample_aspect.den, a.sample_aspect.num};
    result.rotation = 0;
    result.mirrored = false;
    result.field_order = FieldOrder::progressive;
    result.width = mode == ComparisonMode::side ? 2 * form.size.width + kGap : form.size.width;
    result.height = form.size.height;
    result.format = describe(form.format);
    // The result is YUV whatever A is.
    if (a.format.model != ColourModel::yuv) result.colour.matrix = AVCOL_SPC_SMPTE170M;
    return result;
}

VideoPlan plan_result(const VideoInfo& video, const Container& container) {
    AVCodecParameters source{};
    source.codec_id = container.usual_video;
    return plan_video(video, source, container, {});
}

const AVInputFormat& any_format() {
    const AVInputFormat* format = av_find_input_format("mov");
    require(format != nullptr, ExitCode::unavailable, "this build of FFmpeg does not know MP4");
    return *format;
}

}  // namespace

ComparisonVideo::ComparisonVideo(const VideoInfo& a, const VideoInfo& b, ComparisonMode mode, const std::string& path,
                                 bool overwrite, int threads)
    : form_(form_to_show(a)),
      match_a_(a, form_),
      match_b_(b, form_),
      mode_(mode),
      video_(describe_result(a, form_, mode)),
      container_(container_for(path, any_format())),
      plan_(plan_result(video_, container_)),
      output_(container_, path, overwrite, {a.path, b.path}),
      threads_(threads) {}

void ComparisonVideo::write(const Frame& a, const std::optional<Frame>& b) {
    const Picture left = match_a_.match(a);
    const Picture right = b ? match_b_.match(*b) : blank(left->width, left->height, *left);
    Picture result = blank(video_.width, video_.height, *left);
    if (mode_ == ComparisonMode::side) {
        place(*left, *result, 0);
        place(*right, *result, left->width + kGap);
    } else if (bits_of(*left) > 8) {
        subtract<std::uint16_t>(*left, *right, *result);
    } else {
        subtract<std::uint8_t>(*left, *right, *result);
    }
    if (!encoder_) begin(*result, a.pts);
    encoder_->send(std::move(result), a.pts.ticks, a.duration);
    pump();
}

void ComparisonVideo::begin(const AVFrame& first, Pts pts) {
    const bool global_header = (container_.format->flags & AVFMT_GLOBALHEADER) != 0;
    encoder_ = std::make_unique<VideoEncoder>(video_, plan_, global_header, threads_, first);
    AVStream& stream = output_.add_stream();
    check(avcodec_parameters_from_context(stream.codecpar, &encoder_->context()), ExitCode::internal,
          "cannot set up the video");
    stream.time_base = av_rational(video_.time_base);
    stream.avg_frame_rate = av_rational(video_.frame_rate.valid() ? video_.frame_rate : Rational{0, 1});
    stream.sample_aspect_ratio = av_rational(video_.sample_aspect);
    // The same as dub does for containers that cannot begin where A does.
    const std::int64_t start = rescale(pts.ticks, pts.unit, {1, AV_TIME_BASE}, Rounding::down);
    if (container_.starts_late && start < AV_TIME_BASE / 2)
        output_.shift_by(1400000 - std::min<std::int64_t>(0, start));
    else if (start < 0)
        output_.shift_by(-start);
    output_.begin(video_.time_base);
}

void ComparisonVideo::pump() {
    while (Packet packet = encoder_->receive()) output_.write(std::move(packet), 0, video_.time_base);
}

std::int64_t ComparisonVideo::finish() {
    require(encoder_ != nullptr, ExitCode::bad_data, "no frame to write");
    encoder_->drain();
    pump();
    return output_.finish();
}

}  // namespace omnisync::media
