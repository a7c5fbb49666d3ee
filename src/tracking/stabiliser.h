// Landmarks over time: noise out, motion kept, without lag.
#pragma once

#include <vector>

#include "omnisync/faces.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

struct Stabilised {
    std::vector<Landmarks> landmarks;      ///< one a frame; finite
    std::vector<Similarity> to_canonical;  ///< one a frame, smoothed as the training footage is
};

/// Bridged frames are filled in between their neighbours. `faces` is not empty.
[[nodiscard]] Stabilised stabilise(const std::vector<RawFace>& faces);

}  // namespace omnisync::tracking
