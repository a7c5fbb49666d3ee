// The first pass with its means given, for whoever runs it more than once.
#pragma once

#include <optional>
#include <string>

#include "omnisync/analysis.h"
#include "tracking/face_finder.h"
#include "tracking/landmark_fitter.h"

namespace omnisync::tracking {

/// What takes a second to load.
struct Equipment {
    /// `folder` is searched for models first. Throws Error(unavailable) without the landmark model.
    explicit Equipment(const std::string& folder);

    LandmarkFitter fitter;
    FaceFinder finder;
    std::optional<std::string> detector_network;  ///< files
    std::optional<std::string> identity_network;
};

/// analyse() with `equipment` instead of job.models.
[[nodiscard]] Analysis first_pass(const AnalysisJob& job, const Equipment& equipment);

}  // namespace omnisync::tracking
