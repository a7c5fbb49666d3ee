#include "tracking/persons.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "tracking/geometry.h"

namespace omnisync::tracking {
namespace {

constexpr float kSameLook = 0.85F;

bool at_once(const FaceTrack& a, const FaceTrack& b) {
    return a.first_frame < b.end_frame() && b.first_frame < a.end_frame();
}

Point nose(const FaceFrame& face) {
    return face.landmarks[30];
}

// How unlike two tracks' faces are, where they may be one person's; 1 is the limit.
std::optional<float> unlikeness(const FaceTrack& before, const TrackFace& a, const FaceTrack& after,
                                const TrackFace& b) {
    if (a.looks > 0 && b.looks > 0) {
        const float off = distance(a.identity, b.identity) / kSamePerson;
        return off < 1 ? std::optional(off) : std::nullopt;
    }
    const FaceFrame& last = before.frames.back();
    const FaceFrame& first = after.frames.front();
    const float size = last.quality.size_px;
    if (!(size > 0) || !(first.quality.size_px > 0)) return std::nullopt;
    const float ratio = first.quality.size_px / size;
    if (ratio < 0.7F || ratio > 1.4F || distance(nose(last), nose(first)) > 0.6F * size) return std::nullopt;
    const float like = likeness(a.print, b.print);
    return like > kSameLook ? std::optional((1 - like) / (1 - kSameLook)) : std::nullopt;
}

}  // namespace

std::vector<int> number_persons(const std::vector<FaceTrack>& tracks, const std::vector<TrackFace>& faces) {
    std::vector<int> persons(tracks.size());
    int known = 0;
    for (std::size_t i = 0; i < tracks.size(); ++i) {
        float best = 2;
        for (std::size_t k = 0; k < i; ++k) {
            const bool elsewhere = [&] {
                for (std::size_t j = 0; j < i; ++j)
                    if (persons[j] == persons[k] && at_once(tracks[j], tracks[i])) return true;
                return false;
            }();
            if (elsewhere) continue;
            const auto off = unlikeness(tracks[k], faces[k], tracks[i], faces[i]);
            if (!off || *off >= best) continue;
            best = *off;
            persons[i] = persons[k];
        }
        if (persons[i] == 0) persons[i] = ++known;
    }
    return persons;
}

}  // namespace omnisync::tracking
