// Blocks of sound: their format, silence, trimming, conversion.
#pragma once

#include "media/av.h"

namespace omnisync::media {

/// How samples lie in memory: everything that a block of sound has besides its samples.
struct SoundFormat {
    AVSampleFormat sample = AV_SAMPLE_FMT_NONE;
    AVChannelLayout layout{};  // native orders own nothing; custom maps are refused when opened
    int rate_hz = 0;
    friend bool operator==(const SoundFormat& a, const SoundFormat& b) {
        return a.sample == b.sample && a.rate_hz == b.rate_hz && av_channel_layout_compare(&a.layout, &b.layout) == 0;
    }
};

[[nodiscard]] SoundFormat format_of(const AVFrame& block);
/// A block of `samples` samples, uninitialised or silent.
[[nodiscard]] Picture make_block(const SoundFormat& format, int samples);
[[nodiscard]] Picture make_silence(const SoundFormat& format, int samples);
/// Removes the first `samples` samples of a block (no copy).
void drop_front(AVFrame& block, int samples);

/// Sound from one format to another: sample type, channels and rate. Band-limited (soxr when the library has it).
class SoundConverter {
public:
    SoundConverter(const SoundFormat& from, const SoundFormat& to);

    /// Converts a block; the result may hold fewer or more samples, or none yet. nullptr drains what is inside.
    /// The result's pts counts converted samples from 0; its first sample sounds when the first input sample does.
    [[nodiscard]] Picture convert(const AVFrame* block);

private:
    SoundFormat from_;
    SoundFormat to_;
    Resampler context_;
    std::int64_t position_ = 0;
};

}  // namespace omnisync::media
