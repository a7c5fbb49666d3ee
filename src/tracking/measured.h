// What is to be believed of the measurements of a raw track.
#pragma once

#include <array>
#include <vector>

#include "omnisync/faces.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

/// One frame. Lengths in pixels of the picture.
struct Measured {
    bool seen = false;     ///< RawFace::fitted is a face
    bool carried = false;  ///< so was the last frame's, and `flow` says where it went; else `flow` is not set
    Landmarks flow{};      ///< RawFace::carried without its outliers and most of its noise
    std::array<float, kLandmarks> error{};  ///< of `flow`, as far as flow itself knows; canonical pixels
};

[[nodiscard]] std::vector<Measured> measure(const std::vector<RawFace>& faces);

}  // namespace omnisync::tracking
