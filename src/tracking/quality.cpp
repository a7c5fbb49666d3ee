#include "tracking/quality.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace omnisync::tracking {
namespace {

constexpr float kLeastSize = 40;  ///< the mouth is 12 pixels wide
constexpr float kMostYaw = 50;    ///< degrees

bool cut_off(const Landmarks& landmarks, Size picture) {
    const auto outside = [picture](Point p) {
        return p.x < 0 || p.y < 0 || p.x > static_cast<float>(picture.width - 1) ||
               p.y > static_cast<float>(picture.height - 1);
    };
    return std::any_of(landmarks.begin() + 48, landmarks.end(), outside) ||
           std::any_of(landmarks.begin() + 6, landmarks.begin() + 11, outside);
}

}  // namespace

void rate(const RawTrack& raw, Size picture, double fps, FaceTrack& track) {
    for (std::size_t t = 0; t < track.frames.size(); ++t) {
        FaceFrame& face = track.frames[t];
        const double scale = face.to_canonical.scale();
        face.quality.size_px = static_cast<float>(kCanonicalSide / std::max(scale, 1e-6));
        face.quality.sharpness = raw.faces[t].look.sharpness;
        face.quality.light = raw.faces[t].look.light;
        if (raw.faces[t].source == RawFace::Source::bridged)
            face.obstacle = Obstacle::not_seen;
        else if (cut_off(face.landmarks, picture))
            face.obstacle = Obstacle::cut_off;
        else if (face.quality.size_px < kLeastSize)
            face.obstacle = Obstacle::too_small;
        else if (std::abs(face.pose.yaw) > kMostYaw)
            face.obstacle = Obstacle::turned_away;
    }
    static_cast<void>(fps);
}

}  // namespace omnisync::tracking
