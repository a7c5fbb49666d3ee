// From ended pieces of raw tracks to whole tracks with numbers.
#pragma once

#include <array>
#include <cstdint>
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
    /// A face at half its size, for as long as the detectors' memory is held: landmarks on a grid of a 32767th of the
    /// face's reach, a hundredth of a pixel.
    struct Packed {
        Point middle;
        float unit = 0;
        std::array<std::int16_t, 2 * kLandmarks> landmarks{};
        Similarity to_canonical;
        HeadPose pose;
        FaceQuality quality;
        float confidence = 0;
        Obstacle obstacle = Obstacle::none;

        explicit Packed(const FaceFrame& face);
        [[nodiscard]] FaceFrame unpacked() const;
    };
    struct Open {
        FaceTrack track;  ///< without frames
        std::vector<Packed> frames;
        TrackFace face;
    };
    std::map<int, Open> by_follower_;
    std::map<int, TrackFace> identities_;
};

}  // namespace omnisync::tracking
