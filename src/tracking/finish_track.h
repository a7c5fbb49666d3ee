// From what was measured frame by frame to a face over time: stabilised landmarks, canonical pose, quality, obstacles.
#pragma once

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

/// The whole track at once (its shot has ended), so smoothing looks both ways and has no lag. `id` is left 0, `speaks`
/// 0; `Obstacle::transition` is the caller's. `picture`: upright size. `fps`: of the frames, > 0.
[[nodiscard]] FaceTrack finish_track(const RawTrack& raw, Size picture, double fps);

}  // namespace omnisync::tracking
