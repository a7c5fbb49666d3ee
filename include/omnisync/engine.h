// What redraws mouths: given an analysis, a cast and the speech, an engine turns each frame of the output into one
// whose speakers say it. std only; the engines stand behind it in the core library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/analysis.h"
#include "omnisync/frame.h"
#include "omnisync/speakers.h"
#include "omnisync/stream.h"

namespace omnisync {

/// One picture of the output: which frame of the video it shows, and when, in seconds of the output's timeline.
struct Shown {
    std::int64_t frame = 0;  ///< index into Analysis::pts
    double time_s = 0;
};

/// A sound that mouths are to speak.
struct Voice {
    std::function<std::unique_ptr<SpeechSource>(int rate_hz)> open;
    double start_s = 0;  ///< on the output's timeline
};

struct EngineOptions {
    std::string models;  ///< folder with the engine's weights
    std::uint64_t seed = 0;
    int steps = 0;        ///< of the motion sampler; 0: the engine's own choice
    double guidance = 0;  ///< by the speech; 0: the engine's own choice
    double strength = 1;  ///< scales the mouth's travel
};

/// What an engine works on. Everything outlives it.
struct EngineJob {
    VideoInfo video;
    const Analysis* analysis = nullptr;
    const Cast* cast = nullptr;
    std::vector<Shown> shown;   ///< every picture of the output, in order
    std::vector<Voice> voices;  ///< as CastSpan::speech counts
    OpenVideo open_video;       ///< read once more, to borrow from
    EngineOptions options;
};

/// Single-threaded use.
class Engine {
public:
    virtual ~Engine() = default;
    /// The picture `number` (index into EngineJob::shown), from the frame that it shows. Frames in which nobody speaks
    /// come back as they are; of the others, pixels outside the edit matte do.
    [[nodiscard]] virtual Frame render(const Frame& frame, std::int64_t number) = 0;
    /// Sentences about what was done: models, borrowed frames, what could not be done.
    [[nodiscard]] virtual std::vector<std::string> remarks() const = 0;
};

}  // namespace omnisync
