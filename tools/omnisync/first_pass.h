// The first pass over a video, or a saved one: shots, faces, who speaks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "disk_cache.h"
#include "omnisync/analysis.h"
#include "omnisync/probe.h"
#include "session.h"

namespace omnisync::command {

struct FirstPassRequest {
    std::string video;
    bool strict = false;
    FaceOptions faces;
    bool overwrite = false;  ///< an analysis of another video, or a damaged one, is replaced
    bool save = true;        ///< false: an analysis is used, but none is written
    int sound_track = -1;    ///< of the video, as SoundOptions::replaced_track
    /// Called with each frame as it is read; may be empty.
    std::function<void(const Frame&)> on_read;
};

struct FirstPass {
    Analysis analysis;
    VideoInfo info;
    std::optional<ReadReport> read;  ///< nothing when a saved analysis was used
};

/// Throws Error: what reading throws; unavailable (no landmark model); bad_data for an analysis file that is damaged or
/// of another video, unless it may be replaced; cannot_create before the work starts.
[[nodiscard]] FirstPass run_first_pass(const FirstPassRequest& request, const Session& session);

/// Hashes of the models that a first pass finds in `models` or the usual places.
[[nodiscard]] Json tracking_models_key(const std::string& models, const DiskCache& cache);

/// The job for analyse(): real files behind its functions.
[[nodiscard]] AnalysisJob analysis_job(const std::string& video, bool strict, int sound_track, const Global& global);

}  // namespace omnisync::command
