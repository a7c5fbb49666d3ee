// The samples of the new sound on the output's timeline: the speech, delayed or cut by its offset, over the original.
#pragma once

#include <deque>
#include <optional>

#include "media/sound_reader.h"
#include "media/sound_track.h"

namespace omnisync::media {

/// Yields an unbroken run of samples that begins at the origin of the output's timeline.
class SoundMixer {
public:
    explicit SoundMixer(const SoundTrackRequest& request);

    /// Of all blocks: the speech's own, or float in the better rate and channels of both when something is mixed in.
    [[nodiscard]] const SoundFormat& format() const { return format_; }
    [[nodiscard]] const SoundReader& speech() const { return speech_; }

    /// The next block; nothing once both speech and original have ended. Its pts counts samples from the origin.
    [[nodiscard]] Picture next();

private:
    [[nodiscard]] Picture next_of_speech();
    void add_original(AVFrame& block);
    [[nodiscard]] Picture next_of_original();

    SoundReader speech_;
    SoundFormat format_;
    std::int64_t lead_silence_;  // still to come
    std::int64_t lead_cut_;      // speech samples still to drop
    std::optional<SoundConverter> to_float_;
    bool drained_ = false;
    std::optional<SoundReader> original_;
    std::optional<SoundConverter> original_converter_;
    std::deque<Picture> original_blocks_;  // converted, not yet mixed
    bool original_over_ = true;
    float original_gain_ = 0;
    std::int64_t position_ = 0;
};

}  // namespace omnisync::media
