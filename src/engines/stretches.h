// Where an engine has work: the parts of the output in which one face speaks one voice.
#pragma once

#include <cstdint>
#include <vector>

#include "omnisync/engine.h"

namespace omnisync {

/// Neighbouring pictures in which one track speaks one voice.
struct Stretch {
    const FaceTrack* track = nullptr;
    int voice = 0;            ///< index into EngineJob::voices
    std::int64_t first = 0;   ///< index into EngineJob::shown
    std::int64_t length = 0;  ///< pictures
};

/// In order of track and time.
[[nodiscard]] std::vector<Stretch> stretches(const EngineJob& job);

/// Frames per second of an analysed video, on average; 25 where its timestamps do not say.
[[nodiscard]] double frame_rate(const Analysis& analysis);

}  // namespace omnisync
