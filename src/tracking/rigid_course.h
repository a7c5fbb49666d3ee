// The rigid part of a face's course: where it lies, how it is turned in the picture's plane, how large it is.
#pragma once

#include <vector>

#include "omnisync/faces.h"
#include "tracking/measured.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

/// Upright pixels to the canonical face, one a frame, without the landmark model's tremor but not yet smoothed as the
/// training footage is. Frames without a face lie between those with one.
[[nodiscard]] std::vector<Similarity> rigid_course(const std::vector<RawFace>& faces,
                                                   const std::vector<Measured>& measured);

}  // namespace omnisync::tracking
