// Which tracks show the same person.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "omnisync/faces.h"
#include "tracking/face_crowd.h"
#include "tracking/face_networks.h"

namespace omnisync::tracking {

/// What is known of one track's face, beside the track.
struct TrackFace {
    FacePrint print;
    Identity identity{};  ///< mean over some frames
    int looks = 0;        ///< frames that the identity was taken in; 0: there is none
};

/// Numbers of the persons, from 1 in order of appearance, for `tracks` and what is known of each. Two tracks are one
/// person's when the network says so; without it only when the face looks all but the same, at the same place and
/// size: a jump within one scene, a face lost and found again. Nobody is in one frame twice.
[[nodiscard]] std::vector<int> number_persons(const std::vector<FaceTrack>& tracks,
                                              const std::vector<TrackFace>& faces);

}  // namespace omnisync::tracking
