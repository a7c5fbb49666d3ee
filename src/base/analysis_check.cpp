#include "base/analysis_check.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "omnisync/error.h"

namespace omnisync {
namespace {

constexpr float kFarthest = 1e6F;  // pixels: beyond every picture, small enough for arithmetic
constexpr int kLargestSide = 1 << 20;

bool is_share(float value) {
    return value >= 0 && value <= 1;
}

bool is_good(Point point) {
    return std::abs(point.x) <= kFarthest && std::abs(point.y) <= kFarthest;
}

bool is_good(const Similarity& map) {
    const double size = std::hypot(map.a, map.b);
    return size > 1e-9 && size < 1e9 && std::abs(map.dx) < 1e15 && std::abs(map.dy) < 1e15;
}

bool is_good(const FaceFrame& face) {
    const auto is_angle = [](float degrees) { return std::abs(degrees) <= 360; };
    return std::all_of(face.landmarks.begin(), face.landmarks.end(), [](Point point) { return is_good(point); }) &&
           is_good(face.to_canonical) && is_angle(face.pose.yaw) && is_angle(face.pose.pitch) &&
           is_angle(face.pose.roll) && face.quality.size_px >= 0 && face.quality.size_px <= kFarthest &&
           is_share(face.quality.sharpness) && is_share(face.quality.light) && is_share(face.quality.covered) &&
           is_share(face.confidence) && is_share(face.speaks) && static_cast<int>(face.obstacle) < kObstacles;
}

std::string fault_of_times(const Analysis& analysis) {
    if (!analysis.time_base.valid()) return "the time base is none";
    constexpr std::int64_t kLatest = std::int64_t{1} << 60;  // differences of times do not overflow
    if (!analysis.pts.empty() && (analysis.pts.front() < -kLatest || analysis.pts.back() > kLatest))
        return "its times are out of range";
    for (std::size_t i = 1; i < analysis.pts.size(); ++i)
        if (analysis.pts[i] <= analysis.pts[i - 1]) return concat("the time of frame ", i, " does not rise");
    std::int64_t last = 0;
    for (const ShotBoundary& cut : analysis.cuts) {
        if (cut.frame <= last || cut.frame >= analysis.frames() || cut.first_mixed < 0 ||
            cut.last_mixed < cut.first_mixed || cut.last_mixed > analysis.frames() ||
            cut.transition < Transition::cut || cut.transition > Transition::dissolve)
            return concat("the shot boundary at frame ", cut.frame, " is none");
        last = cut.frame;
    }
    return {};
}

std::string fault_of_track(const FaceTrack& track, const Analysis& analysis) {
    const auto shots = static_cast<int>(analysis.cuts.size()) + 1;
    if (track.id < 1 || track.person < 1 || track.shot < 0 || track.shot >= shots)
        return concat("track ", track.id, ": its numbers are out of range");
    if (track.frames.empty() || track.first_frame < 0 || track.first_frame >= analysis.frames() ||
        track.end_frame() > analysis.frames())
        return concat("track ", track.id, ": its frames lie outside the video");
    for (std::size_t i = 0; i < track.frames.size(); ++i)
        if (!is_good(track.frames[i]))
            return concat("track ", track.id, ": frame ", track.first_frame + static_cast<std::int64_t>(i),
                          " holds a number out of range");
    return {};
}

}  // namespace

std::string fault_of(const Analysis& analysis) {
    const bool is_sum = analysis.video.sha256.size() == 64 &&
                        analysis.video.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_sum || analysis.video.bytes < 0) return "it names no video";
    const Size size = analysis.picture;
    if (size.width < 1 || size.height < 1 || size.width > kLargestSide || size.height > kLargestSide)
        return "the picture has no size";
    if (std::string fault = fault_of_times(analysis); !fault.empty()) return fault;
    std::set<int> ids;
    const FaceTrack* before = nullptr;
    for (const FaceTrack& track : analysis.tracks) {
        if (std::string fault = fault_of_track(track, analysis); !fault.empty()) return fault;
        const bool in_order = before == nullptr || before->first_frame < track.first_frame ||
                              (before->first_frame == track.first_frame && before->id < track.id);
        if (!in_order || !ids.insert(track.id).second) return concat("track ", track.id, " is not in its place");
        before = &track;
    }
    return {};
}

}  // namespace omnisync
