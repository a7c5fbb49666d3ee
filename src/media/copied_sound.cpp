// The speech's packets as they are, moved to where they sound.
#include "media/sound_track.h"
#include "media/stream_copier.h"

namespace omnisync::media {
namespace {

class CopiedSound final : public SoundTrack {
public:
    explicit CopiedSound(const SoundTrackRequest& request)
        : input_(request.speech.path), stream_(input_.audio_stream(request.options.speech_track).value_or(-1)) {
        input_.select({stream_});
        unit_ = rational(input_.stream(stream_).time_base);
        const Rational sample{1, request.speech.rate_hz};
        const Pts own = input_.origin();
        end_ = rescale(first_sample(request.sync, request.origin, request.speech.rate_hz) + request.speech.samples,
                       sample, unit_);
        shift_ = rescale(first_sample(request.sync, request.origin, request.speech.rate_hz), sample, unit_) -
                 rescale(own.ticks, own.unit, unit_);
    }

    [[nodiscard]] std::string describe() const override {
        return concat("copied (", avcodec_get_name(input_.stream(stream_).codecpar->codec_id), ")");
    }

    AVStream& add_to(OutputFile& output) override {
        AVStream& stream = output.add_stream();
        check(avcodec_parameters_copy(stream.codecpar, input_.stream(stream_).codecpar), ExitCode::internal,
              "cannot set up the sound");
        stream.codecpar->codec_tag = 0;
        stream.time_base = av_rational(unit_);
        index_ = stream.index;
        copy_tags(input_.stream(stream_).metadata, &stream.metadata);
        return stream;
    }

    void produce(OutputFile& output, Pts until) override { write_until(output, until, false); }
    void finish(OutputFile& output, Pts end) override { write_until(output, end, true); }

private:
    void write_until(OutputFile& output, Pts until, bool last) {
        while (Packet packet = take()) {
            if (until <= Pts{packet->pts, unit_}) {
                if (!last) waiting_ = std::move(packet);
                return;
            }
            output.write(std::move(packet), index_, unit_);
        }
    }

    // The next packet, its times on the output's timeline.
    Packet take() {
        if (waiting_) return std::move(waiting_);
        Packet packet = input_.read();
        if (!packet) return packet;
        if (packet->pts == AV_NOPTS_VALUE) packet->pts = packet->dts != AV_NOPTS_VALUE ? packet->dts : next_;
        next_ = packet->pts + packet->duration;
        packet->pts += shift_;
        packet->dts = packet->pts;
        // The last packet holds padding: what the speech has of it is said by its duration.
        if (packet->pts < end_ && end_ < packet->pts + packet->duration) packet->duration = end_ - packet->pts;
        return packet;
    }

    Input input_;
    int stream_;
    int index_ = -1;
    Rational unit_;
    std::int64_t shift_ = 0;
    std::int64_t end_ = 0;  // of the speech, on the output's timeline
    std::int64_t next_ = 0;
    Packet waiting_;
};

}  // namespace

std::unique_ptr<SoundTrack> copy_sound(const SoundTrackRequest& request) {
    return std::make_unique<CopiedSound>(request);
}

}  // namespace omnisync::media
