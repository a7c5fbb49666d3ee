// The work of `dub`, once its inputs are known: for the command itself and for its rehearsal.
#pragma once

#include <functional>
#include <string>

#include "base/progress.h"
#include "command.h"
#include "evaluation.h"
#include "report.h"
#include "session.h"

namespace omnisync::command {

/// One run over the output's pictures. What it points to outlives the run.
struct DubRun {
    const DubCommand& command;
    const Session& session;
    const SpeechInfo& speech;
    const DubFaces* faces = nullptr;  ///< null: no first pass
    std::string output_path;
    double preview_s = 0;          ///< 0: the whole; an engine plans what `command` asks for all the same
    Progress* progress = nullptr;  ///< null: none is shown
    bool draw = true;              ///< false: the engine prepares, and its pictures stay as they are
    /// Given each picture as it was and as the engine leaves it; may be empty.
    std::function<void(const Frame& source, const Frame& made)> watch = {};
};

/// Reads, edits and writes. Throws what the pipeline, the media library and the engine throw.
[[nodiscard]] Dubbed run_job(const DubRun& run);

/// What the pictures of the output were made from. Borrows from `run`, which outlives it.
[[nodiscard]] KnownSource known_source(const DubRun& run, const Dubbed& done);

/// The coded picture as it is, with the new sound.
[[nodiscard]] DubReport copy_job(const DubRun& run, const std::function<bool()>& stop);

/// How long the output will be, as far as the headers tell; 0: unknown.
[[nodiscard]] double estimate_length(const VideoInfo& video, const SpeechInfo& speech, const DubCommand& command);

/// What --dry-run does. `looked_s`: seconds that the search for faces took.
int rehearse(const DubCommand& command, const Session& session, const SpeechInfo& speech, const DubFaces* faces,
             double looked_s);

}  // namespace omnisync::command
