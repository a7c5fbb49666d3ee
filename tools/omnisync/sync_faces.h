// Faces as the sync networks look at them.
#pragma once

#include <vector>

#include "core/api.h"
#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::command {

/// What our own network sees of one face. `picture`: upright, at full size.
[[nodiscard]] SyncFrame sync_frame(const Image& picture, const FaceFrame& face, double time_s);

/// The square that SyncNet sees of each frame of a track, upright pixels: published crop (scale 0.4) round a box, the
/// boxes smoothed by the median of 13 frames. Their box is S3FD's; ours is from the landmarks, forehead estimated.
/// `faces`: 25 a second, as SyncNet is shown them.
[[nodiscard]] std::vector<Box> syncnet_boxes(const std::vector<FaceFrame>& faces);
/// The picture within `box`, kSyncNetSide square, bilinear; grey (110) beyond the picture's edges.
[[nodiscard]] Image syncnet_face(const Image& picture, const Box& box);

}  // namespace omnisync::command
