// The new sound encoded from its samples, which the mixer yields.
extern "C" {
#include <libavutil/audio_fifo.h>
}

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "media/sound_mixer.h"
#include "media/sound_track.h"
#include "media/stream_copier.h"

namespace omnisync::media {
namespace {

using Fifo = std::unique_ptr<AVAudioFifo, Closer<av_audio_fifo_free>>;

AVSampleFormat nearest_sample_format(const AVCodec& encoder, AVSampleFormat wanted) {
    if (encoder.sample_fmts == nullptr) return wanted;
    const AVSampleFormat packed = av_get_packed_sample_fmt(wanted);
    AVSampleFormat best = encoder.sample_fmts[0];
    for (const AVSampleFormat* candidate = encoder.sample_fmts; *candidate != AV_SAMPLE_FMT_NONE; ++candidate) {
        if (*candidate == wanted) return wanted;
        const bool same_depth = av_get_packed_sample_fmt(*candidate) == packed;
        const bool best_is_same = av_get_packed_sample_fmt(best) == packed;
        if (same_depth || (!best_is_same && av_get_bytes_per_sample(*candidate) > av_get_bytes_per_sample(best)))
            best = *candidate;
    }
    return best;
}

// The speech's own rate, else the lowest one above it, else the highest there is.
int nearest_rate(const AVCodec& encoder, int wanted) {
    if (encoder.supported_samplerates == nullptr) return wanted;
    int above = 0;
    int highest = 0;
    for (const int* candidate = encoder.supported_samplerates; *candidate != 0; ++candidate) {
        if (*candidate == wanted) return wanted;
        if (*candidate > wanted && (above == 0 || *candidate < above)) above = *candidate;
        highest = std::max(highest, *candidate);
    }
    return above != 0 ? above : highest;
}

AVChannelLayout nearest_layout(const AVCodec& encoder, const AVChannelLayout& wanted) {
    AVChannelLayout best{};
    av_channel_layout_copy(&best, &wanted);
    if (encoder.ch_layouts == nullptr) return best;
    int best_channels = 0;
    for (const AVChannelLayout* candidate = encoder.ch_layouts; candidate->nb_channels != 0; ++candidate) {
        if (av_channel_layout_compare(candidate, &wanted) == 0) {
            av_channel_layout_copy(&best, &wanted);
            return best;
        }
        const bool better =
            std::abs(candidate->nb_channels - wanted.nb_channels) < std::abs(best_channels - wanted.nb_channels);
        if (best_channels == 0 || better) {
            best_channels = candidate->nb_channels;
            av_channel_layout_copy(&best, candidate);
        }
    }
    return best;
}

// Rates at which the lossy codecs are transparent for speech over anything; 0: the codec has no rate.
std::int64_t bit_rate_for(AVCodecID codec, int channels, int rate_hz) {
    if ((codec == AV_CODEC_ID_MP2 || codec == AV_CODEC_ID_MP3) && rate_hz < 32000)
        return channels == 1 ? 96000 : 160000;
    switch (codec) {
        case AV_CODEC_ID_AAC:
            return channels == 1 ? 128000 : channels == 2 ? 256000 : 96000LL * channels;
        case AV_CODEC_ID_OPUS:
        case AV_CODEC_ID_VORBIS:
            return channels == 1 ? 96000 : channels == 2 ? 160000 : 64000LL * channels;
        case AV_CODEC_ID_WMAV2:
            return 64000LL * (1 + channels);
        case AV_CODEC_ID_MP2:
            return channels == 1 ? 192000 : 384000;
        case AV_CODEC_ID_MP3:
            return channels == 1 ? 128000 : 256000;
        case AV_CODEC_ID_AC3:
        case AV_CODEC_ID_EAC3:
            return channels <= 2 ? 256000 : 640000;
        default:
            return 0;
    }
}

class EncodedSound final : public SoundTrack {
public:
    EncodedSound(const SoundTrackRequest& request, const Container& container, const AVCodec& encoder)
        : mixer_(request), codec_(avcodec_alloc_context3(&encoder)), speech_codec_(request.speech.codec) {
        if (!codec_) throw std::bad_alloc();
        format_.sample = nearest_sample_format(encoder, mixer_.format().sample);
        format_.rate_hz =
            container.sound_rate_hz > 0 ? container.sound_rate_hz : nearest_rate(encoder, mixer_.format().rate_hz);
        format_.layout = nearest_layout(encoder, mixer_.format().layout);
        codec_->sample_fmt = format_.sample;
        codec_->sample_rate = format_.rate_hz;
        av_channel_layout_copy(&codec_->ch_layout, &format_.layout);
        codec_->time_base = {1, format_.rate_hz};
        codec_->bit_rate = bit_rate_for(encoder.id, format_.layout.nb_channels, format_.rate_hz);
        codec_->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
        if (mixer_.format().sample == AV_SAMPLE_FMT_S32) codec_->bits_per_raw_sample = 24;
        if (container.format->flags & AVFMT_GLOBALHEADER) codec_->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
        check(avcodec_open2(codec_.get(), &encoder, nullptr), ExitCode::unavailable,
              concat("the sound encoder ", encoder.name, " refuses ", format_.rate_hz, " Hz, ",
                     format_.layout.nb_channels, " channels"));
        if (!(format_ == mixer_.format())) converter_.emplace(mixer_.format(), format_);
        fifo_.reset(av_audio_fifo_alloc(format_.sample, format_.layout.nb_channels, 8192));
        if (!fifo_) throw std::bad_alloc();
        start_ = sample_at(request.origin, format_.rate_hz);
    }

    [[nodiscard]] std::string describe() const override {
        const std::string rate = bit_rate_for(codec_->codec_id, 2, codec_->sample_rate) > 0
                                     ? concat(", ", codec_->bit_rate / 1000, " kb/s")
                                     : "";
        return concat("encoded (", avcodec_get_name(codec_->codec_id), rate, ", from ", speech_codec_, ")");
    }

    [[nodiscard]] std::vector<std::string> warnings() const override {
        std::vector<std::string> differences;
        const SoundFormat& wanted = mixer_.format();
        const char* codec = avcodec_get_name(codec_->codec_id);
        if (format_.rate_hz < wanted.rate_hz)
            differences.push_back(concat("the sound goes from ", wanted.rate_hz, " to ", format_.rate_hz,
                                         " Hz: ", codec, " has no more"));
        if (format_.layout.nb_channels < wanted.layout.nb_channels)
            differences.push_back(concat("the sound is mixed down from ", wanted.layout.nb_channels, " to ",
                                         format_.layout.nb_channels, " channels: this ", codec,
                                         " encoder has no more"));
        return differences;
    }

    AVStream& add_to(OutputFile& output) override {
        AVStream& stream = output.add_stream();
        check(avcodec_parameters_from_context(stream.codecpar, codec_.get()), ExitCode::internal,
              "cannot set up the sound");
        stream.time_base = codec_->time_base;
        index_ = stream.index;
        const SoundReader& speech = mixer_.speech();
        copy_tags(speech.input().stream(speech.stream()).metadata, &stream.metadata);
        return stream;
    }

    void produce(OutputFile& output, Pts until) override {
        take_until(output, sample_at(until, format_.rate_hz) - start_);
    }

    void finish(OutputFile& output, Pts end) override {
        const std::int64_t last = sample_at(end, format_.rate_hz) - start_;
        take_until(output, last);
        while (taken_ < last) {  // the picture goes on in silence
            push(*make_silence(format_, static_cast<int>(std::min<std::int64_t>(last - taken_, 4096))));
            encode_full_blocks(output);
        }
        if (const int rest = av_audio_fifo_size(fifo_.get()); rest > 0) encode(output, rest);
        check(avcodec_send_frame(codec_.get(), nullptr), ExitCode::internal, "cannot end the sound");
        write_packets(output);
    }

private:
    // Queues exactly the samples before `last`, unless the sound ends earlier: what is queued will be heard.
    void take_until(OutputFile& output, std::int64_t last) {
        while (taken_ < last && (rest_ || !over_)) {
            if (!rest_) rest_ = next_block();
            if (!rest_) continue;
            const int wanted = static_cast<int>(std::min<std::int64_t>(rest_->nb_samples, last - taken_));
            const int behind = rest_->nb_samples - wanted;
            rest_->nb_samples = wanted;
            push(*rest_);
            rest_->nb_samples = wanted + behind;
            if (behind > 0)
                drop_front(*rest_, wanted);
            else
                rest_.reset();
            encode_full_blocks(output);
        }
    }

    Picture next_block() {
        Picture block = mixer_.next();
        over_ = !block;
        return converter_ ? converter_->convert(block.get()) : std::move(block);
    }

    void push(const AVFrame& block) {
        if (block.nb_samples <= 0) return;
        const int written =
            av_audio_fifo_write(fifo_.get(), reinterpret_cast<void**>(block.extended_data), block.nb_samples);
        require(written == block.nb_samples, ExitCode::internal, "cannot queue sound");
        taken_ += block.nb_samples;
    }

    void encode_full_blocks(OutputFile& output) {
        const int size = codec_->frame_size > 0 ? codec_->frame_size : 1024;
        while (av_audio_fifo_size(fifo_.get()) >= size) encode(output, size);
    }

    void encode(OutputFile& output, int samples) {
        const Picture block = make_block(format_, samples);
        av_audio_fifo_read(fifo_.get(), reinterpret_cast<void**>(block->extended_data), samples);
        block->pts = start_ + encoded_;
        encoded_ += samples;
        check(avcodec_send_frame(codec_.get(), block.get()), ExitCode::internal, "cannot encode the sound");
        write_packets(output);
    }

    void write_packets(OutputFile& output) {
        for (;;) {
            Packet packet = make_packet();
            const int code = avcodec_receive_packet(codec_.get(), packet.get());
            if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) return;
            check(code, ExitCode::internal, "cannot encode the sound");
            output.write(std::move(packet), index_, rational(codec_->time_base));
        }
    }

    SoundMixer mixer_;
    Codec codec_;
    std::string speech_codec_;
    SoundFormat format_;
    std::optional<SoundConverter> converter_;
    Fifo fifo_;
    Picture rest_;  // converted, not yet queued
    int index_ = -1;
    std::int64_t start_ = 0;    // index of the first sample on the output's timeline
    std::int64_t taken_ = 0;    // samples queued
    std::int64_t encoded_ = 0;  // samples given to the encoder
    bool over_ = false;
};

}  // namespace

std::unique_ptr<SoundTrack> encode_sound(const SoundTrackRequest& request, const Container& container,
                                         const AVCodec& encoder) {
    return std::make_unique<EncodedSound>(request, container, encoder);
}

}  // namespace omnisync::media
