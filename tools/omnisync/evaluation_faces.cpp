#include "evaluation_faces.h"

#include <algorithm>
#include <cmath>

#include "metrics/mouth.h"

namespace omnisync::command {
namespace {

constexpr float kSameMouth = 1.5F;  // widths of the mouth: further away it is another's

const FaceTrack* track_of(const Analysis& analysis, int id) {
    for (const FaceTrack& track : analysis.tracks)
        if (track.id == id) return &track;
    return nullptr;
}

/// The editable face of `frame` whose mouth is nearest to that of `wanted`, brought to this film's size by `x`, `y`.
const FaceFrame* nearest(const Analysis& analysis, std::int64_t frame, const FaceFrame& wanted, float x, float y) {
    const metrics::PixelBox mouth = metrics::mouth_box(wanted);
    const Point there{mouth.middle().x * x, mouth.middle().y * y};
    float least = kSameMouth * x * static_cast<float>(mouth.right - mouth.left);
    const FaceFrame* found = nullptr;
    for (const FaceTrack& track : analysis.tracks) {
        const FaceFrame* const face = track.at(frame);
        if (face == nullptr || face->obstacle != Obstacle::none) continue;
        const Point here = metrics::mouth_box(*face).middle();
        const float distance = std::hypot(here.x - there.x, here.y - there.y);
        if (distance >= least) continue;
        least = distance;
        found = face;
    }
    return found;
}

bool has_part(const Role& role, std::int64_t frame) {
    return std::any_of(role.spans.begin(), role.spans.end(),
                       [frame](const CastSpan& span) { return span.first <= frame && frame < span.end; });
}

}  // namespace

FacePairs::FacePairs(const Analysis& video, const Analysis* reference, const Cast& cast)
    : video_(video), reference_(reference), cast_(cast) {}

std::vector<MeasuredFace> FacePairs::at(std::int64_t picture, std::int64_t shown) const {
    std::vector<MeasuredFace> found;
    if (reference_ != nullptr && shown < 0) return found;
    const Analysis& deciding = reference_ != nullptr ? *reference_ : video_;
    const std::int64_t frame = reference_ != nullptr ? shown : picture;
    const auto stretch = [](int a, int b) { return static_cast<float>(a) / static_cast<float>(std::max(1, b)); };
    for (const Role& role : cast_.roles) {
        const FaceTrack* const track = has_part(role, frame) ? track_of(deciding, role.track) : nullptr;
        const FaceFrame* const own = track != nullptr ? track->at(frame) : nullptr;
        if (own == nullptr) continue;
        if (reference_ == nullptr) {
            found.push_back({role.track, own, nullptr});
        } else if (const FaceFrame* const face =
                       nearest(video_, picture, *own, stretch(video_.picture.width, deciding.picture.width),
                               stretch(video_.picture.height, deciding.picture.height))) {
            found.push_back({role.track, face, own});
        }
    }
    std::stable_sort(found.begin(), found.end(), [](const MeasuredFace& a, const MeasuredFace& b) {
        return a.face->quality.size_px > b.face->quality.size_px;
    });
    return found;
}

}  // namespace omnisync::command
