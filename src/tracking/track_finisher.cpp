#include "tracking/track_finisher.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "tracking/finish_track.h"

namespace omnisync::tracking {
namespace {

void mark_transitions(FaceTrack& track, const std::vector<ShotBoundary>& cuts) {
    for (const ShotBoundary& cut : cuts) {
        if (cut.transition == Transition::cut) continue;
        const std::int64_t end = std::min(cut.last_mixed + 1, track.end_frame());
        for (std::int64_t frame = std::max(cut.first_mixed, track.first_frame); frame < end; ++frame) {
            FaceFrame& face = track.frames[static_cast<std::size_t>(frame - track.first_frame)];
            if (face.obstacle != Obstacle::not_seen) face.obstacle = Obstacle::transition;
        }
    }
}

}  // namespace

TrackFinisher::Packed::Packed(const FaceFrame& face)
    : middle(face.landmarks[30]),
      to_canonical(face.to_canonical),
      pose(face.pose),
      quality(face.quality),
      confidence(face.confidence),
      obstacle(face.obstacle) {
    constexpr float kMost = 32767;
    float reach = 0;
    for (const Point& p : face.landmarks) reach = std::max({reach, std::abs(p.x - middle.x), std::abs(p.y - middle.y)});
    unit = reach / kMost;
    if (!(unit > 0)) return;  // all in one place
    for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
        landmarks[2 * i] = static_cast<std::int16_t>(std::lround((face.landmarks[i].x - middle.x) / unit));
        landmarks[2 * i + 1] = static_cast<std::int16_t>(std::lround((face.landmarks[i].y - middle.y) / unit));
    }
}

FaceFrame TrackFinisher::Packed::unpacked() const {
    FaceFrame face;
    for (std::size_t i = 0; i < face.landmarks.size(); ++i)
        face.landmarks[i] = {middle.x + unit * static_cast<float>(landmarks[2 * i]),
                             middle.y + unit * static_cast<float>(landmarks[2 * i + 1])};
    face.to_canonical = to_canonical;
    face.pose = pose;
    face.quality = quality;
    face.confidence = confidence;
    face.obstacle = obstacle;
    return face;
}

void TrackFinisher::add(const EndedTrack& piece, Size picture, double fps) {
    FaceTrack fresh = finish_track(piece.raw, picture, fps);
    Open& open = by_follower_[piece.id];
    open.face.print = piece.print;
    if (open.frames.empty()) {
        open.track.shot = piece.raw.shot;
        open.track.first_frame = piece.first_new;
    }
    const std::int64_t end = std::min(piece.end_new, fresh.end_frame());
    // Exactly: doubling would cost as much again at the end of a long video.
    open.frames.reserve(open.frames.size() +
                        static_cast<std::size_t>(std::max<std::int64_t>(0, end - piece.first_new)));
    for (std::int64_t frame = piece.first_new; frame < end; ++frame)
        open.frames.emplace_back(fresh.frames[static_cast<std::size_t>(frame - fresh.first_frame)]);
}

void TrackFinisher::identify(int follower, const Identity& identity) {
    TrackFace& face = identities_[follower];
    ++face.looks;
    for (std::size_t i = 0; i < identity.size(); ++i)
        face.identity[i] += (identity[i] - face.identity[i]) / static_cast<float>(face.looks);
}

std::vector<FaceTrack> TrackFinisher::finish(const std::vector<ShotBoundary>& cuts) {
    std::vector<Open> all;
    for (auto& [follower, open] : by_follower_) {
        if (open.frames.empty()) continue;
        open.track.frames.reserve(open.frames.size());
        for (const Packed& face : open.frames) open.track.frames.push_back(face.unpacked());
        open.frames = {};
        if (const auto known = identities_.find(follower); known != identities_.end()) {
            open.face.identity = known->second.identity;
            open.face.looks = known->second.looks;
        }
        all.push_back(std::move(open));
    }
    by_follower_.clear();
    const auto left = [](const Open& open) { return open.track.frames.front().landmarks[30].x; };
    std::stable_sort(all.begin(), all.end(), [&](const Open& a, const Open& b) {
        return std::pair(a.track.first_frame, left(a)) < std::pair(b.track.first_frame, left(b));
    });
    std::vector<FaceTrack> tracks;
    std::vector<TrackFace> faces;
    for (Open& open : all) {
        open.track.id = static_cast<int>(tracks.size()) + 1;
        mark_transitions(open.track, cuts);
        tracks.push_back(std::move(open.track));
        faces.push_back(open.face);
    }
    const std::vector<int> persons = number_persons(tracks, faces);
    for (std::size_t i = 0; i < tracks.size(); ++i) tracks[i].person = persons[i];
    return tracks;
}

}  // namespace omnisync::tracking
