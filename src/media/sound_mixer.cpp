#include "media/sound_mixer.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace omnisync::media {
namespace {

constexpr int kBlock = 4096;

}  // namespace

SoundMixer::SoundMixer(const SoundTrackRequest& request)
    : speech_(request.speech.path, request.options.speech_track), format_(speech_.format()) {
    if (request.options.keep_original) {
        // A film's sound is not brought down to the rate and channels of a voice recording.
        original_.emplace(request.video_path, request.options.replaced_track);
        const SoundFormat& film = original_->format();
        format_.sample = AV_SAMPLE_FMT_FLT;
        format_.rate_hz = std::max(format_.rate_hz, film.rate_hz);
        if (film.layout.nb_channels > format_.layout.nb_channels) format_.layout = film.layout;
    }
    const auto delay = [&](int rate_hz) {
        return first_sample(request.sync, request.origin, rate_hz) - sample_at(request.origin, rate_hz);
    };
    lead_silence_ = std::max<std::int64_t>(0, delay(format_.rate_hz));
    lead_cut_ = std::max<std::int64_t>(0, -delay(speech_.format().rate_hz));
    if (!original_) return;
    to_float_.emplace(speech_.format(), format_);
    original_converter_.emplace(original_->format(), format_);
    original_over_ = false;
    original_gain_ = static_cast<float>(std::pow(10.0, *request.options.keep_original / 20.0));
}

Picture SoundMixer::next() {
    Picture block = next_of_speech();
    if (!block && original_) {  // the speech is over, the original goes on
        if (original_blocks_.empty() && !original_over_) original_blocks_.push_back(next_of_original());
        const bool more = !original_blocks_.empty() && original_blocks_.front();
        if (more) block = make_silence(format_, std::max(1, std::min(kBlock, original_blocks_.front()->nb_samples)));
    }
    if (!block) return nullptr;
    if (original_) add_original(*block);
    block->pts = position_;
    position_ += block->nb_samples;
    return block;
}

Picture SoundMixer::next_of_speech() {
    if (lead_silence_ > 0) {
        Picture silence = make_silence(format_, static_cast<int>(std::min<std::int64_t>(lead_silence_, kBlock)));
        lead_silence_ -= silence->nb_samples;
        return silence;
    }
    while (Picture block = speech_.next()) {
        if (lead_cut_ >= block->nb_samples) {
            lead_cut_ -= block->nb_samples;
            continue;
        }
        drop_front(*block, static_cast<int>(std::exchange(lead_cut_, 0)));
        if (!to_float_) return block;
        Picture converted = to_float_->convert(block.get());
        if (converted->nb_samples > 0) return converted;
    }
    if (!to_float_ || drained_) return nullptr;
    drained_ = true;
    Picture rest = to_float_->convert(nullptr);
    return rest->nb_samples > 0 ? std::move(rest) : nullptr;
}

Picture SoundMixer::next_of_original() {
    for (;;) {
        const Picture decoded = original_->next();
        Picture converted = original_converter_->convert(decoded.get());
        if (!decoded) original_over_ = true;
        if (converted->nb_samples > 0) return converted;
        if (!decoded) return nullptr;
    }
}

void SoundMixer::add_original(AVFrame& block) {
    const int channels = format_.layout.nb_channels;
    auto* target = reinterpret_cast<float*>(block.extended_data[0]);
    for (int done = 0; done < block.nb_samples;) {
        if (original_blocks_.empty()) {
            if (original_over_) return;
            original_blocks_.push_back(next_of_original());
        }
        if (!original_blocks_.front()) {
            original_blocks_.clear();
            return;
        }
        AVFrame& source = *original_blocks_.front();
        const int take = std::min(block.nb_samples - done, source.nb_samples);
        const auto* samples = reinterpret_cast<const float*>(source.extended_data[0]);
        for (int i = 0; i < take * channels; ++i) target[done * channels + i] += original_gain_ * samples[i];
        done += take;
        if (take == source.nb_samples)
            original_blocks_.pop_front();
        else
            drop_front(source, take);
    }
}

}  // namespace omnisync::media
