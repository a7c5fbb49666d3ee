// From ended pieces of raw tracks to whole tracks with numbers.
#pragma once

#include <map>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"
#include "omnisync/shots.h"
#include "tracking/face_crowd.h"
#include "tracking/persons.h"

namespace omnisync::tracking {

class TrackFinisher {
public:
    /// `picture`: upright size.
    void add(const EndedTrack& piece, Size picture, double fps);
    /// One more look of the identity network at a follower's face.
    void identify(int follower, const Identity& identity);

    /// All tracks by first frame, then from left to right; ids, persons and transitions set.
    [[nodiscard]] std::vector<FaceTrack> finish(const std::vector<ShotBoundary>& cuts);

private:
    struct Open {
        FaceTrack track;
        TrackFace face;
    };
    std::map<int, Open> by_follower_;
    std::map<int, TrackFace> identities_;
};

}  // namespace omnisync::tracking
