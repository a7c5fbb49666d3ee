#include "media/video_encoder.h"

extern "C" {
#include <libavutil/mastering_display_metadata.h>
}

#include <algorithm>
#include <cmath>
#include <string_view>

namespace omnisync::media {
namespace {

// Encoders look at frames this far behind the newest; more than any of them needs.
constexpr std::size_t kMomentsKept = 1024;

bool is(const AVCodec& encoder, std::string_view name) {
    return encoder.name == name;
}

// The encoder's nominal rate. MPEG-1 and MPEG-2 know a list of rates; MPEG-4 limits the time base to 16 bits.
AVRational nominal_rate(const VideoInfo& video, const AVCodec& encoder) {
    AVRational rate = video.frame_rate.valid() ? av_rational(video.frame_rate) : AVRational{25, 1};
    if (av_q2d(rate) > 1000 || av_q2d(rate) < 0.1) rate = {25, 1};
    if (encoder.supported_framerates != nullptr)
        return encoder.supported_framerates[av_find_nearest_q_idx(rate, encoder.supported_framerates)];
    AVRational small = rate;
    av_reduce(&small.num, &small.den, rate.num, rate.den, 65535);
    return small;
}

// x265's notation of HDR10 metadata: units of 0.00002 and 0.0001 cd/m2 (ITU-T H.265, D.3.28).
std::string mastering_text(const AVMasteringDisplayMetadata& data) {
    const auto xy = [](const AVRational* pair) {
        return concat("(", std::lround(av_q2d(pair[0]) * 50000), ",", std::lround(av_q2d(pair[1]) * 50000), ")");
    };
    return concat("G", xy(data.display_primaries[1]), "B", xy(data.display_primaries[2]), "R",
                  xy(data.display_primaries[0]), "WP", xy(data.white_point), "L(",
                  std::lround(av_q2d(data.max_luminance) * 10000), ",", std::lround(av_q2d(data.min_luminance) * 10000),
                  ")");
}

// SVT-AV1 wants the same in plain numbers.
std::string mastering_text_av1(const AVMasteringDisplayMetadata& data) {
    const auto xy = [](const AVRational* pair) { return concat("(", av_q2d(pair[0]), ",", av_q2d(pair[1]), ")"); };
    return concat("G", xy(data.display_primaries[1]), "B", xy(data.display_primaries[2]), "R",
                  xy(data.display_primaries[0]), "WP", xy(data.white_point), "L(", av_q2d(data.max_luminance), ",",
                  av_q2d(data.min_luminance), ")");
}

template <class T>
const T* side_data(const AVFrame& picture, AVFrameSideDataType type) {
    const AVFrameSideData* found = av_frame_get_side_data(&picture, type);
    return found != nullptr ? reinterpret_cast<const T*>(found->data) : nullptr;
}

std::string hdr_parameters(const AVCodec& encoder, const AVFrame& first) {
    const auto* mastering = side_data<AVMasteringDisplayMetadata>(first, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    const auto* light = side_data<AVContentLightMetadata>(first, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    const bool x265 = is(encoder, "libx265");
    std::string text;
    if (mastering != nullptr && mastering->has_primaries && mastering->has_luminance)
        text += x265 ? ":master-display=" + mastering_text(*mastering)
                     : ":mastering-display=" + mastering_text_av1(*mastering);
    if (light != nullptr) text += concat(x265 ? ":max-cll=" : ":content-light=", light->MaxCLL, ",", light->MaxFALL);
    if (x265 && !text.empty()) text += ":hdr10=1:repeat-headers=1";
    return text;
}

void describe_colour(AVCodecContext& codec, const VideoInfo& video, const AVFrame& first) {
    codec.color_primaries = static_cast<AVColorPrimaries>(video.colour.primaries);
    codec.color_trc = static_cast<AVColorTransferCharacteristic>(video.colour.transfer);
    codec.colorspace = static_cast<AVColorSpace>(video.colour.matrix);
    codec.color_range = video.colour.range == Colour::Range::full      ? AVCOL_RANGE_JPEG
                        : video.colour.range == Colour::Range::limited ? AVCOL_RANGE_MPEG
                                                                       : AVCOL_RANGE_UNSPECIFIED;
    codec.chroma_sample_location = first.chroma_location;
    // Colours turned into luma and chroma: what the converter makes is BT.601 in limited range.
    if (video.format.model == ColourModel::rgb && !is_rgb(codec.pix_fmt)) {
        codec.colorspace = AVCOL_SPC_SMPTE170M;
        codec.color_range = AVCOL_RANGE_MPEG;
    }
}

void describe_fields(AVCodecContext& codec, const AVFrame& first) {
    if (!first.interlaced_frame) return;
    codec.field_order = first.top_field_first ? AV_FIELD_TT : AV_FIELD_BB;
    if (codec.codec_id == AV_CODEC_ID_MPEG2VIDEO || codec.codec_id == AV_CODEC_ID_H264 ||
        codec.codec_id == AV_CODEC_ID_MPEG4 || codec.codec_id == AV_CODEC_ID_PRORES ||
        codec.codec_id == AV_CODEC_ID_DNXHD)
        codec.flags |=
            AV_CODEC_FLAG_INTERLACED_DCT | (codec.codec_id == AV_CODEC_ID_MPEG2VIDEO ? AV_CODEC_FLAG_INTERLACED_ME : 0);
}

// Motion JPEG is full range by definition and its encoder wants to see that in the format's name.
AVPixelFormat with_range(const AVCodec& encoder, AVPixelFormat format, Colour::Range range) {
    if (encoder.id != AV_CODEC_ID_MJPEG || range != Colour::Range::full) return format;
    return format == AV_PIX_FMT_YUV420P   ? AV_PIX_FMT_YUVJ420P
           : format == AV_PIX_FMT_YUV422P ? AV_PIX_FMT_YUVJ422P
           : format == AV_PIX_FMT_YUV444P ? AV_PIX_FMT_YUVJ444P
                                          : format;
}

}  // namespace

VideoEncoder::VideoEncoder(const VideoInfo& video, const VideoPlan& plan, bool global_header, int threads,
                           const AVFrame& first)
    : codec_(avcodec_alloc_context3(plan.encoder)),
      converter_(video.width, video.height, plan.format),
      range_twin_(with_range(*plan.encoder, plan.format, video.colour.range)),
      quality_(plan.quality) {
    if (!codec_) throw std::bad_alloc();
    codec_->width = video.width;
    codec_->height = video.height;
    codec_->pix_fmt = range_twin_;
    codec_->sample_aspect_ratio = av_rational(video.sample_aspect);
    codec_->framerate = nominal_rate(video, *plan.encoder);
    codec_->time_base = av_inv_q(codec_->framerate);
    codec_->thread_count = threads;
    codec_->strict_std_compliance = FF_COMPLIANCE_UNOFFICIAL;  // limited-range Motion JPEG, unusual rates
    describe_colour(*codec_, video, first);
    describe_fields(*codec_, first);
    if (global_header) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (quality_ >= 0) {
        codec_->flags |= AV_CODEC_FLAG_QSCALE;
        codec_->global_quality = static_cast<int>(std::lround(quality_ * FF_QP2LAMBDA));
    }
    Dictionary options;
    for (const auto& [key, value] : plan.options) options.set(key, value);
    if (const std::string hdr = hdr_parameters(*plan.encoder, first); !hdr.empty()) {
        if (is(*plan.encoder, "libx265")) options.set("x265-params", "log-level=error" + hdr);
        if (is(*plan.encoder, "libsvtav1")) options.set("svtav1-params", hdr.substr(1));
    }
    // x264's AVX-512 code for macroblock trees reads memory that nobody wrote (Debian 12's 0.164), so that the same
    // pictures give other bytes from run to run; that for AVX2 does not.
    if (is(*plan.encoder, "libx264") && __builtin_cpu_supports("avx512f")) options.set("x264-params", "asm=avx2");
    const int opened = avcodec_open2(codec_.get(), plan.encoder, options.out());
    if (opened < 0)
        throw Error(ExitCode::usage,
                    concat("the video encoder refuses these settings (", plan.describe(), ", ", video.width, "x",
                           video.height, "): ", error_text(opened)),
                    "--log-level debug shows its own words");
    require(options.unused_key().empty(), ExitCode::usage, plan.encoder->name, " does not know the option '",
            options.unused_key(), "'");
}

void VideoEncoder::send(Picture picture, std::int64_t ticks, std::int64_t duration) {
    if (!converter_.fits(*picture)) picture = converter_.convert(*picture);
    const std::int64_t index = base_ + static_cast<std::int64_t>(moments_.size());
    if (index == 0) first_ = {ticks, std::max<std::int64_t>(1, duration)};
    moments_.push_back({ticks, duration});
    // What the decoder said of its coding would bind the encoder.
    picture->pts = index;
    picture->pict_type = AV_PICTURE_TYPE_NONE;
    picture->format = range_twin_;
    picture->quality = quality_ >= 0 ? codec_->global_quality : 0;
    check(avcodec_send_frame(codec_.get(), picture.get()), ExitCode::internal,
          concat("cannot encode a frame with ", codec_->codec->name));
}

void VideoEncoder::drain() {
    check(avcodec_send_frame(codec_.get(), nullptr), ExitCode::internal, "cannot end the video");
}

Packet VideoEncoder::receive() {
    Packet packet = make_packet();
    const int code = avcodec_receive_packet(codec_.get(), packet.get());
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return nullptr;
    check(code, ExitCode::internal, concat("cannot encode with ", codec_->codec->name));
    const std::int64_t index = packet->pts;
    packet->pts = ticks_of(index);
    packet->dts = ticks_of(packet->dts == AV_NOPTS_VALUE ? index : packet->dts);
    packet->duration = moments_[static_cast<std::size_t>(index - base_)].duration;
    forget_before(index - static_cast<std::int64_t>(kMomentsKept) / 2);
    return packet;
}

std::int64_t VideoEncoder::ticks_of(std::int64_t index) const {
    if (index < 0) return first_.ticks + index * first_.duration;
    require(index >= base_ && index < base_ + static_cast<std::int64_t>(moments_.size()), ExitCode::internal,
            "the encoder ", codec_->codec->name, " returned the unknown frame ", index);
    return moments_[static_cast<std::size_t>(index - base_)].ticks;
}

void VideoEncoder::forget_before(std::int64_t index) {
    while (base_ < index && moments_.size() > kMomentsKept) {
        moments_.pop_front();
        ++base_;
    }
}

}  // namespace omnisync::media
