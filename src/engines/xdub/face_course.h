// Where a face is through its track, as the model wants it framed.
#pragma once

#include <cstdint>
#include <vector>

#include "engines/xdub/image.h"
#include "omnisync/analysis.h"

namespace omnisync::xdub {

/// Squares round a track's face, one a frame of the track, in upright pixels, inside the picture (face_boxes.h).
/// `picture`: the upright size; `fps`: of the video. Throws as find_boxes().
[[nodiscard]] std::vector<Box> face_course(const FaceTrack& track, Size picture, double fps);

}  // namespace omnisync::xdub
