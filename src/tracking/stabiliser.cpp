#include "tracking/stabiliser.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include "base/canonical_face.h"

namespace omnisync::tracking {
namespace {

bool usable(const RawFace& face) {
    if (face.source == RawFace::Source::bridged) return false;
    for (const Point& point : face.fitted)
        if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
    return fit_canonical(face.fitted).has_value();
}

Point between(Point a, Point b, float w) {
    return {a.x + (b.x - a.x) * w, a.y + (b.y - a.y) * w};
}

/// The fitted landmarks; where there are none, on the way between those around.
std::vector<Landmarks> filled(const std::vector<RawFace>& faces) {
    std::vector<Landmarks> result(faces.size());
    std::optional<std::size_t> last;
    for (std::size_t t = 0; t < faces.size(); ++t) {
        if (!usable(faces[t])) continue;
        result[t] = faces[t].fitted;
        for (std::size_t gap = last ? *last + 1 : 0; gap < t; ++gap) {
            const float w = last ? static_cast<float>(gap - *last) / static_cast<float>(t - *last) : 1.0F;
            for (std::size_t i = 0; i < kLandmarks; ++i)
                result[gap][i] = between(last ? result[*last][i] : result[t][i], result[t][i], w);
        }
        last = t;
    }
    if (last)
        for (std::size_t t = *last + 1; t < faces.size(); ++t) result[t] = result[*last];
    return result;
}

}  // namespace

Stabilised stabilise(const std::vector<RawFace>& faces) {
    Stabilised result;
    result.landmarks = filled(faces);
    for (const Landmarks& landmarks : result.landmarks)
        result.to_canonical.push_back(fit_canonical(landmarks).value_or(Similarity{}));
    result.to_canonical = smooth_canonical(result.to_canonical);
    return result;
}

}  // namespace omnisync::tracking
