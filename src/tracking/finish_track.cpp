#include "tracking/finish_track.h"

#include <algorithm>
#include <cstddef>

#include "base/canonical_face.h"
#include "tracking/pose.h"
#include "tracking/quality.h"
#include "tracking/stabiliser.h"

namespace omnisync::tracking {

FaceTrack finish_track(const RawTrack& raw, Size picture, double fps) {
    FaceTrack track;
    track.person = raw.person;
    track.shot = raw.shot;
    track.first_frame = raw.first_frame;
    if (raw.faces.empty()) return track;
    const Stabilised stable = stabilise(raw.faces);
    track.frames.resize(raw.faces.size());
    for (std::size_t t = 0; t < raw.faces.size(); ++t) {
        FaceFrame& face = track.frames[t];
        face.landmarks = stable.landmarks[t];
        face.to_canonical = stable.to_canonical[t];
        face.pose = pose_of(face.landmarks);
        face.confidence = raw.faces[t].confidence > 0 ? std::min(raw.faces[t].confidence, 1.0F) : 0;  // 0 for NaN
    }
    rate(raw, picture, fps, track);
    return track;
}

}  // namespace omnisync::tracking
