#include "media/sound_reader.h"

extern "C" {
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <cmath>
#include <string_view>

namespace omnisync::media {
namespace {

constexpr std::int64_t kLongestGapS = 3600;
constexpr int kSilenceBlock = 4096;  // samples
constexpr int kMostLosses = 100000;
constexpr int kLoudest = 1000;  // full scale is 1: what a damaged stream decodes to beyond this is no sound

template <class T>
std::int64_t zero_impossible(T* samples, std::int64_t count) {
    std::int64_t repaired = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        if (std::abs(samples[i]) <= kLoudest) continue;  // false for NaN
        samples[i] = 0;
        ++repaired;
    }
    return repaired;
}

std::int64_t repair(AVFrame& block) {
    const auto sample = static_cast<AVSampleFormat>(block.format);
    const AVSampleFormat packed = av_get_packed_sample_fmt(sample);
    if (packed != AV_SAMPLE_FMT_FLT && packed != AV_SAMPLE_FMT_DBL) return 0;
    check(av_frame_make_writable(&block), ExitCode::internal, "cannot hold a block of sound");
    const bool planar = av_sample_fmt_is_planar(sample) != 0;
    const int planes = planar ? block.ch_layout.nb_channels : 1;
    const std::int64_t count = std::int64_t{block.nb_samples} * (planar ? 1 : block.ch_layout.nb_channels);
    std::int64_t repaired = 0;
    for (int i = 0; i < planes; ++i) {
        std::uint8_t* data = block.extended_data[i];
        repaired += packed == AV_SAMPLE_FMT_FLT ? zero_impossible(reinterpret_cast<float*>(data), count)
                                                : zero_impossible(reinterpret_cast<double*>(data), count);
    }
    return repaired;
}

}  // namespace

SoundReader::SoundReader(const std::string& path, int track) : input_(path), stream_(-1) {
    const std::optional<int> stream = input_.audio_stream(track);
    if (!stream)
        throw Error(ExitCode::bad_data, concat("'", path, "' has no sound"),
                    "the speech is any file with a sound track");
    stream_ = *stream;
    input_.select({stream_});
    const AVCodecParameters& parameters = *input_.stream(stream_).codecpar;
    const AVCodec* decoder = avcodec_find_decoder(parameters.codec_id);
    require(decoder != nullptr, ExitCode::bad_data, "'", path, "': no decoder for ",
            avcodec_get_name(parameters.codec_id), " sound");
    codec_.reset(avcodec_alloc_context3(decoder));
    if (!codec_) throw std::bad_alloc();
    check(avcodec_parameters_to_context(codec_.get(), &parameters), ExitCode::bad_data,
          "cannot set up the sound decoder");
    codec_->pkt_timebase = input_.stream(stream_).time_base;
    check(avcodec_open2(codec_.get(), decoder, nullptr), ExitCode::bad_data,
          concat("'", path, "': cannot decode ", avcodec_get_name(parameters.codec_id), " sound"));
    pending_ = decode();
    require(pending_ != nullptr, ExitCode::bad_data, "'", path, "': the sound track holds no samples");
    format_ = format_of(*pending_);
    require(format_.rate_hz > 0 && format_.layout.nb_channels > 0, ExitCode::bad_data, "'", path,
            "': sound without rate or channels");
    av_channel_layout_uninit(&pending_->ch_layout);
    av_channel_layout_copy(&pending_->ch_layout, &format_.layout);
    last_ = edited_length();
}

Picture SoundReader::next() {
    for (;;) {
        if (gap_ > 0) {
            Picture silence = make_silence(format_, static_cast<int>(std::min<std::int64_t>(gap_, kSilenceBlock)));
            silence->pts = position_;
            position_ += silence->nb_samples;
            gap_ -= silence->nb_samples;
            return silence;
        }
        if (!pending_) pending_ = decode();
        if (!pending_) return nullptr;
        const std::int64_t tolerance = started_ ? format_.rate_hz / 50 : 0;
        std::int64_t ahead = index_of(*pending_) - position_;
        if (ahead > kLongestGapS * format_.rate_hz) ahead = 0;  // a clock that jumped, not a pause
        started_ = true;
        if (ahead > tolerance) {
            gap_ = ahead;
            continue;
        }
        Picture block = std::move(pending_);
        if (ahead < -tolerance) {
            if (-ahead >= block->nb_samples) continue;
            drop_front(*block, static_cast<int>(-ahead));
        }
        // Codecs with fixed blocks pad the last one; an edit list says where the sound ends.
        if (last_ > 0 && position_ >= last_) return nullptr;
        if (last_ > 0)
            block->nb_samples = static_cast<int>(std::min<std::int64_t>(block->nb_samples, last_ - position_));
        block->pts = position_;
        position_ += block->nb_samples;
        return block;
    }
}

std::int64_t SoundReader::edited_length() const {
    const AVStream& stream = input_.stream(stream_);
    const bool has_edits = std::string_view(input_.format().iformat->name).find("mp4") != std::string_view::npos;
    if (!has_edits || stream.duration <= 0 || stream.start_time == AV_NOPTS_VALUE) return 0;
    const Rational sample{1, format_.rate_hz};
    const Pts origin = input_.origin();
    const std::int64_t end = rescale(stream.start_time + stream.duration, rational(stream.time_base), sample);
    return std::max<std::int64_t>(0, end - rescale(origin.ticks, origin.unit, sample));
}

std::int64_t SoundReader::index_of(const AVFrame& block) const {
    if (block.best_effort_timestamp == AV_NOPTS_VALUE) return position_;
    const Rational sample{1, format_.rate_hz};
    const Pts origin = input_.origin();
    const std::int64_t in_file =
        rescale(block.best_effort_timestamp, rational(input_.stream(stream_).time_base), sample);
    return in_file - rescale(origin.ticks, origin.unit, sample);
}

Picture SoundReader::decode() {
    Picture block = make_picture();
    for (;;) {
        const int code = avcodec_receive_frame(codec_.get(), block.get());
        if (code == 0) {
            if (block->nb_samples <= 0) continue;
            repaired_ += repair(*block);
            return in_first_format(std::move(block));
        }
        if (code == AVERROR_EOF) return nullptr;
        if (code != AVERROR(EAGAIN)) {
            ++lost_packets_;
            if (drained_ || lost_packets_ > kMostLosses) return nullptr;
            continue;
        }
        const Packet packet = input_.read();
        drained_ = !packet;
        const int sent = avcodec_send_packet(codec_.get(), packet.get());
        if (sent < 0 && sent != AVERROR_EOF) ++lost_packets_;
    }
}

Picture SoundReader::in_first_format(Picture block) {
    const SoundFormat from = format_of(*block);
    if (format_.rate_hz == 0 || from == format_) {
        if (format_.rate_hz != 0 && block->ch_layout.order != AV_CHANNEL_ORDER_NATIVE) {
            av_channel_layout_uninit(&block->ch_layout);
            av_channel_layout_copy(&block->ch_layout, &format_.layout);
        }
        return block;
    }
    if (!converter_ || !(converter_from_ == from)) {
        converter_.emplace(from, format_);
        converter_from_ = from;
    }
    Picture converted = converter_->convert(block.get());
    converted->best_effort_timestamp = block->best_effort_timestamp;
    return converted;
}

}  // namespace omnisync::media
