// What redraws mouths: given an analysis, a cast and the speech, an engine turns each frame of the output into one
// whose speakers say it. std only; the engines stand behind it in the core library.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
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
    std::string models;             ///< folder with the engine's weights
    std::string device = "auto";    ///< "auto", "cpu", "cuda", "cuda:1"
    std::int64_t device_bytes = 0;  ///< memory of a CUDA device; filled in by the core
    std::uint64_t seed = 0;
    int steps = 0;        ///< of the motion sampler; 0: the engine's own choice
    double guidance = 0;  ///< by the speech; 0: the engine's own choice
    double strength = 1;  ///< scales the mouth's travel
    bool compat = false;  ///< xdub: the released code's numbers, its bugs with them
    std::string saved;    ///< xdub: folder for clips, from which an interrupted run goes on; empty: none
};

/// What an engine works on. Everything outlives it.
struct EngineJob {
    VideoInfo video;
    const Analysis* analysis = nullptr;
    const Cast* cast = nullptr;
    std::vector<Shown> shown;   ///< every picture of the output, in order
    std::vector<Voice> voices;  ///< as CastSpan::speech counts
    OpenVideo open_video;       ///< read once more, to borrow from
    OpenVideo open_shown;       ///< the frames of `shown`, in that order: for engines that look ahead
    EngineOptions options;
    std::function<bool()> stop;                      ///< true: throw Error(interrupted) soon; may be empty
    std::function<void(const std::string&)> remark;  ///< a sentence for the user while a long work runs; may be empty
};

/// One mouth in one picture of the output, as planned. Openings are how far the lips are apart (mean vertical distance
/// of the three inner pairs of landmarks), in pixels of the canonical face: a square of 160.
struct PlanRow {
    std::int64_t picture = 0;               ///< index into EngineJob::shown
    double time_s = 0;                      ///< as of Shown
    int track = 0;                          ///< FaceTrack::id
    std::optional<double> planned_opening;  ///< nothing where an engine plans none
    double source_opening = 0;              ///< in the frame that is shown, before it is edited
    std::optional<std::int64_t> exemplar;   ///< frame of the video whose mouth is borrowed, if one is
};

/// What an engine used: its own choices filled in, those of EngineOptions otherwise.
struct EngineFacts {
    std::vector<std::string> weights;  ///< paths of the files loaded
    int steps = 0;
    double guidance = 0;
    double strength = 1;
    std::uint64_t seed = 0;
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
    /// By picture, then by track: those pictures only in which a mouth is to be redrawn. Known before the first
    /// render().
    [[nodiscard]] virtual std::vector<PlanRow> plan() const = 0;
    [[nodiscard]] virtual EngineFacts facts() const = 0;
    /// The output is complete: what was kept on disk for another run may go.
    virtual void finish() {}
};

}  // namespace omnisync
