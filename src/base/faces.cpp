#include "omnisync/faces.h"

#include <cmath>
#include <utility>

namespace omnisync {

Point Similarity::operator()(Point p) const {
    const double x = p.x;
    const double y = p.y;
    return {static_cast<float>(a * x - b * y + dx), static_cast<float>(b * x + a * y + dy)};
}

Similarity Similarity::inverse() const {
    const double square = a * a + b * b;
    const double ia = a / square;
    const double ib = -b / square;
    return {ia, ib, -(ia * dx - ib * dy), -(ib * dx + ia * dy)};
}

double Similarity::scale() const {
    return std::hypot(a, b);
}

double Similarity::angle_rad() const {
    return std::atan2(b, a);
}

double lip_opening(const FaceFrame& face) {
    double sum = 0;
    for (const auto& [upper, lower] : {std::pair{61U, 67U}, {62U, 66U}, {63U, 65U}})
        sum += face.to_canonical(face.landmarks[lower]).y - face.to_canonical(face.landmarks[upper]).y;
    return sum / 3;
}

std::string_view name(Obstacle obstacle) {
    switch (obstacle) {
        case Obstacle::none:
            return "none";
        case Obstacle::not_seen:
            return "not_seen";
        case Obstacle::transition:
            return "transition";
        case Obstacle::cut_off:
            return "cut_off";
        case Obstacle::too_small:
            return "too_small";
        case Obstacle::turned_away:
            return "turned_away";
        case Obstacle::covered:
            return "covered";
        case Obstacle::too_blurred:
            return "too_blurred";
        case Obstacle::too_dark:
            return "too_dark";
    }
    return "none";
}

std::string_view reason(Obstacle obstacle) {
    switch (obstacle) {
        case Obstacle::none:
            return "nothing is in the way";
        case Obstacle::not_seen:
            return "the face is not seen for a moment";
        case Obstacle::transition:
            return "one shot fades into another";
        case Obstacle::cut_off:
            return "the mouth or the chin is beyond the edge of the picture";
        case Obstacle::too_small:
            return "the face is too small";
        case Obstacle::turned_away:
            return "the face is turned away too far";
        case Obstacle::covered:
            return "something covers the mouth";
        case Obstacle::too_blurred:
            return "the mouth is too blurred";
        case Obstacle::too_dark:
            return "the face is too dark";
    }
    return "nothing is in the way";
}

std::vector<FaceSpan> spans_of(const FaceTrack& track) {
    std::vector<FaceSpan> spans;
    for (std::int64_t frame = track.first_frame; frame < track.end_frame(); ++frame) {
        const Obstacle obstacle = track.at(frame)->obstacle;
        if (spans.empty() || spans.back().obstacle != obstacle) spans.push_back({frame, frame, obstacle});
        spans.back().end = frame + 1;
    }
    return spans;
}

}  // namespace omnisync
