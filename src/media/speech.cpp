// Speech for the engines: any sound track as mono floats at the rate they ask for.
extern "C" {
#include <libavutil/samplefmt.h>
}

#include <algorithm>
#include <cmath>
#include <cstring>

#include "media/sound_reader.h"
#include "omnisync/media.h"

namespace omnisync::media {
namespace {

constexpr double kMostRepairs = 0.001;  // a file with more broken samples than this is not sound

SoundFormat mono_float(int rate_hz) {
    SoundFormat format;
    format.sample = AV_SAMPLE_FMT_FLT;
    format.rate_hz = rate_hz;
    av_channel_layout_default(&format.layout, 1);
    return format;
}

class SpeechReader final : public SpeechSource {
public:
    SpeechReader(const std::string& path, int rate_hz, int track)
        : reader_(path, track), converter_(reader_.format(), mono_float(rate_hz)), rate_hz_(rate_hz) {}

    [[nodiscard]] int rate_hz() const override { return rate_hz_; }

    std::size_t read(std::span<float> samples) override {
        std::size_t done = 0;
        while (done < samples.size() && (block_ || !over_)) {
            if (!block_) refill();
            if (!block_) continue;
            const auto take =
                std::min<std::size_t>(samples.size() - done, static_cast<std::size_t>(block_->nb_samples));
            std::memcpy(samples.data() + done, block_->data[0], take * sizeof(float));
            done += take;
            if (take == static_cast<std::size_t>(block_->nb_samples))
                block_.reset();
            else
                drop_front(*block_, static_cast<int>(take));
        }
        return done;
    }

private:
    void refill() {
        const Picture decoded = reader_.next();
        over_ = !decoded;
        block_ = converter_.convert(decoded.get());
        if (block_->nb_samples == 0) block_.reset();
    }

    SoundReader reader_;
    SoundConverter converter_;
    int rate_hz_;
    Picture block_;
    bool over_ = false;
};

double peak_of(const AVFrame& block) {
    double peak = 0;
    const auto* samples = reinterpret_cast<const float*>(block.data[0]);
    for (int i = 0; i < block.nb_samples * block.ch_layout.nb_channels; ++i)
        peak = std::max(peak, std::abs(double{samples[i]}));
    return peak;
}

}  // namespace
}  // namespace omnisync::media

namespace omnisync {

std::unique_ptr<SpeechSource> open_speech(const std::string& path, int rate_hz, int track) {
    return std::make_unique<media::SpeechReader>(path, rate_hz, track);
}

SpeechInfo inspect_speech(const std::string& path, int track, const std::function<bool()>& stop) {
    media::SoundReader reader(path, track);
    SpeechInfo info;
    info.path = path;
    info.codec = avcodec_get_name(reader.input().stream(reader.stream()).codecpar->codec_id);
    info.rate_hz = reader.format().rate_hz;
    info.channels = reader.format().layout.nb_channels;
    media::SoundFormat floats = reader.format();
    floats.sample = AV_SAMPLE_FMT_FLT;
    media::SoundConverter converter(reader.format(), floats);
    while (const media::Picture block = reader.next()) {
        if (stop && stop()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        info.samples += block->nb_samples;
        info.peak = std::max(info.peak, media::peak_of(*converter.convert(block.get())));
    }
    info.repaired_samples = reader.repaired_samples();
    info.ends_early = reader.input().ends_early();
    require(info.samples > 0, ExitCode::bad_data, "'", path, "': the sound track holds no samples");
    const double channel_samples = static_cast<double>(info.samples) * info.channels;
    require(static_cast<double>(info.repaired_samples) <= media::kMostRepairs * channel_samples, ExitCode::bad_data,
            "'", path, "': ", info.repaired_samples, " samples are not numbers");
    return info;
}

}  // namespace omnisync
