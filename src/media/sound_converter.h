// Sound from one format to another: sample type, channels and rate. Band-limited (soxr when the library has it).
#pragma once

#include "media/sound_reader.h"

namespace omnisync::media {

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
