#include "metrics/region.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace omnisync::metrics {
namespace {

// Clockwise from the viewer's left: jaw, then up to the nose's base.
constexpr std::array<std::size_t, 14> kMovingFace{3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 35, 33, 31};
using Polygon = std::array<Point, kMovingFace.size()>;

Polygon moving_face(const FaceFrame& face) {
    Polygon corners;
    for (std::size_t i = 0; i < corners.size(); ++i) corners[i] = face.landmarks[kMovingFace[i]];
    return corners;
}

float square_to_edge(Point p, Point a, Point b) {
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float length = dx * dx + dy * dy;
    const float along = length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0F, 1.0F) : 0.0F;
    const float x = a.x + along * dx - p.x, y = a.y + along * dy - p.y;
    return x * x + y * y;
}

/// Pixels; 0 inside.
float distance_to(const Polygon& corners, Point p) {
    bool inside = false;
    float least = 1e30F;
    for (std::size_t i = 0, j = corners.size() - 1; i < corners.size(); j = i++) {
        const Point a = corners[i], b = corners[j];
        if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
        least = std::min(least, square_to_edge(p, a, b));
    }
    return inside ? 0 : std::sqrt(least);
}

}  // namespace

EditRegion::EditRegion(const FaceFrame& face, const FaceFrame* other, Size picture) {
    std::vector<Polygon> faces{moving_face(face)};
    if (other != nullptr) faces.push_back(moving_face(*other));
    const auto scale = static_cast<float>(face.to_canonical.scale());
    float x0 = 1e9F, y0 = 1e9F, x1 = -1e9F, y1 = -1e9F;
    for (const Polygon& corners : faces)
        for (const Point corner : corners) {
            x0 = std::min(x0, corner.x), x1 = std::max(x1, corner.x);
            y0 = std::min(y0, corner.y), y1 = std::max(y1, corner.y);
        }
    const float margin = kMargin / std::max(scale, 1e-6F);
    const auto within = [](float value, int size) {
        return static_cast<int>(std::clamp(value, 0.0F, static_cast<float>(size)));
    };
    left = within(x0 - margin, picture.width), right = within(x1 + margin + 1, picture.width);
    top = within(y0 - margin, picture.height), bottom = within(y1 + margin + 1, picture.height);
    distances_.reserve(static_cast<std::size_t>(right - left) * static_cast<std::size_t>(bottom - top));
    for (int y = top; y < bottom; ++y)
        for (int x = left; x < right; ++x) {
            float least = 1e9F;
            for (const Polygon& corners : faces)
                least = std::min(least, distance_to(corners, {static_cast<float>(x), static_cast<float>(y)}));
            distances_.push_back(least * scale);
        }
}

}  // namespace omnisync::metrics
