// How well each frame of a track can be edited, and what is in the way.
#pragma once

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "tracking/raw_track.h"

namespace omnisync::tracking {

/// Fills quality and obstacle of every frame of `track`, which holds geometry and pose already and has as many frames
/// as `raw`. `picture`: upright size.
void rate(const RawTrack& raw, Size picture, double fps, FaceTrack& track);

}  // namespace omnisync::tracking
