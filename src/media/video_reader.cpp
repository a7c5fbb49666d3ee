#include "media/video_reader.h"

extern "C" {
#include <libavutil/display.h>
}

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace omnisync::media {
namespace {

int video_stream_of(const Input& input) {
    const std::optional<int> stream = input.video_stream();
    if (!stream)
        throw Error(ExitCode::bad_data, concat("'", input.path(), "' has no video stream"),
                    "a picture attached to a sound file is not video");
    return *stream;
}

FieldOrder field_order_of(const AVFrame& picture) {
    if (!picture.interlaced_frame) return FieldOrder::progressive;
    return picture.top_field_first ? FieldOrder::top_first : FieldOrder::bottom_first;
}

// The matrix is libav's: 16.16 fixed point, rotation counter-clockwise, rows as points are multiplied from the left.
void read_orientation(const AVStream& stream, VideoInfo& info) {
    const std::uint8_t* data = av_stream_get_side_data(&stream, AV_PKT_DATA_DISPLAYMATRIX, nullptr);
    if (data == nullptr) return;
    std::array<std::int32_t, 9> matrix{};
    std::copy_n(reinterpret_cast<const std::int32_t*>(data), matrix.size(), matrix.begin());
    const double determinant = double(matrix[0]) * matrix[4] - double(matrix[1]) * matrix[3];
    info.mirrored = determinant < 0;
    if (info.mirrored) av_display_matrix_flip(matrix.data(), 1, 0);
    const double turn = -av_display_rotation_get(matrix.data());
    if (std::isfinite(turn)) info.rotation = (static_cast<int>(std::lround(turn / 90.0)) * 90 % 360 + 360) % 360;
}

}  // namespace

VideoInfo describe_video(const Input& input, int stream, const AVFrame& first) {
    const AVStream& source = input.stream(stream);
    VideoInfo info;
    info.path = input.path();
    info.codec = avcodec_get_name(source.codecpar->codec_id);
    info.width = first.width;
    info.height = first.height;
    info.format = describe(static_cast<AVPixelFormat>(first.format));
    info.colour = colour_of(first, *source.codecpar);
    auto* format = &input.format();
    auto* mutable_stream = format->streams[stream];
    info.sample_aspect = rational(av_guess_sample_aspect_ratio(format, mutable_stream, const_cast<AVFrame*>(&first)));
    info.time_base = rational(source.time_base);
    info.frame_rate = rational(av_guess_frame_rate(format, mutable_stream, nullptr));
    info.field_order = field_order_of(first);
    info.origin = input.origin();
    read_orientation(source, info);
    if (source.duration > 0)
        info.duration_estimate_s = static_cast<double>(source.duration) * av_q2d(source.time_base);
    else if (format->duration > 0)
        info.duration_estimate_s = static_cast<double>(format->duration) / AV_TIME_BASE;
    info.frames_estimate = source.nb_frames > 0 ? source.nb_frames
                           : info.frame_rate.valid()
                               ? std::llround(info.duration_estimate_s * av_q2d(av_rational(info.frame_rate)))
                               : 0;
    return info;
}

VideoReader::VideoReader(const std::string& path, const ReadOptions& options)
    : options_(options),
      input_(path),
      stream_(video_stream_of(input_)),
      decoder_((input_.select({stream_}), input_), stream_, options.threads),
      converter_(0, 0, AV_PIX_FMT_NONE) {
    ahead_ = decoder_.next();
    if (!ahead_)
        throw Error(ExitCode::bad_data, concat("'", path, "': no frame of the video can be decoded",
                                               decoder_.first_problem().empty() ? "" : ": ", decoder_.first_problem()));
    // A palette is of no use to engines and encoders: its colours are.
    const auto format = static_cast<AVPixelFormat>(ahead_->format);
    converter_ = PictureConverter(ahead_->width, ahead_->height, format == AV_PIX_FMT_PAL8 ? AV_PIX_FMT_BGRA : format);
    if (!converter_.fits(*ahead_)) ahead_ = converter_.convert(*ahead_);
    info_ = describe_video(input_, stream_, *ahead_);
    require(info_.format.model != ColourModel::other, ExitCode::bad_data, "'", path, "': pixel format ",
            info_.format.name, " is not supported");
    ahead_ticks_ = time_of(*ahead_);
}

std::optional<Frame> VideoReader::next() {
    if (!ahead_) return std::nullopt;
    Picture picture = std::exchange(ahead_, decode());
    const std::int64_t ticks = ahead_ticks_;
    std::optional<std::int64_t> next_ticks;
    if (ahead_) next_ticks = ahead_ticks_ = time_of(*ahead_);
    Frame frame = to_frame(std::move(picture), {ticks, info_.time_base}, 0);
    frame.duration = duration_of(*static_cast<const AVFrame*>(frame.origin.get()), ticks, next_ticks);
    ++report_.frames;
    if (frame.damaged) ++report_.damaged_frames;
    if (options_.strict && !ahead_) {
        const ReadReport final = report();
        require(!final.ends_early, ExitCode::bad_data, "'", input_.path(), "' ends early, after ", final.frames,
                " frames");
        require(final.damaged_frames + final.lost_packets == 0, ExitCode::bad_data, "'", input_.path(),
                "': ", final.first_problem);
    }
    return frame;
}

Picture VideoReader::decode() {
    Picture picture = decoder_.next();
    if (!picture || converter_.fits(*picture)) return picture;
    if (picture->format != AV_PIX_FMT_PAL8) ++report_.resized_frames;
    return converter_.convert(*picture);
}

// A timestamp for every picture, strictly increasing. Files of joined recordings jump back: what follows is moved
// behind.
std::int64_t VideoReader::time_of(const AVFrame& picture) {
    const std::int64_t step = std::max<std::int64_t>(1, last_step_ > 0 ? last_step_ : picture.pkt_duration);
    std::int64_t ticks = picture.best_effort_timestamp;
    if (ticks == AV_NOPTS_VALUE || shift_ != 0) ++report_.retimed_frames;
    if (ticks == AV_NOPTS_VALUE)
        ticks = last_ticks_ ? *last_ticks_ + step : 0;
    else
        ticks += shift_;
    if (last_ticks_ && ticks <= *last_ticks_) {
        ++report_.retimed_frames;
        const bool jump = *last_ticks_ - ticks > 10 * step;
        if (jump) shift_ += *last_ticks_ + step - ticks;
        if (report_.first_problem.empty())
            report_.first_problem = concat("timestamps go back at ", seconds({*last_ticks_, info_.time_base}), " s");
        ticks = *last_ticks_ + (jump ? step : 1);
    }
    if (last_ticks_) last_step_ = ticks - *last_ticks_;
    last_ticks_ = ticks;
    return ticks;
}

std::int64_t VideoReader::duration_of(const AVFrame& picture, std::int64_t ticks,
                                      std::optional<std::int64_t> next_ticks) const {
    if (next_ticks) return *next_ticks - ticks;
    if (picture.pkt_duration > 0) return picture.pkt_duration;
    if (last_step_ > 0) return last_step_;
    if (!info_.frame_rate.valid()) return 1;
    return std::max<std::int64_t>(1, rescale(1, {info_.frame_rate.den, info_.frame_rate.num}, info_.time_base));
}

ReadReport VideoReader::report() const {
    ReadReport report = report_;
    report.lost_packets = decoder_.lost_packets();
    if (!decoder_.first_problem().empty()) report.first_problem = decoder_.first_problem();
    report.ends_early = !ahead_ && input_.ends_early();
    if (report.first_problem.empty() && report.damaged_frames > 0)
        report.first_problem = "the decoder concealed damaged frames";
    return report;
}

}  // namespace omnisync::media

namespace omnisync {

std::unique_ptr<FrameSource> open_video(const std::string& path, const ReadOptions& options) {
    return std::make_unique<media::VideoReader>(path, options);
}

}  // namespace omnisync
