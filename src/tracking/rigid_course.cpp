#include "tracking/rigid_course.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <utility>

#include "base/canonical_face.h"
#include "tracking/series.h"
#include "tracking/smoother.h"

namespace omnisync::tracking {
namespace {

/// A similarity as numbers that do not lean on one another: where the middle of the canonical template lies (x, y), the
/// angle, the logarithm of the scale.
constexpr std::size_t kNumbers = 4;
constexpr std::size_t kAngle = 2;
using Placement = std::array<double, kNumbers>;

/// Canonical pixels from the template's middle to its rim: what an angle or a growth of 1 moves.
constexpr double kArm = 35;

Point template_middle() {
    Point middle;
    for (const CanonicalPoint& point : kCanonicalTemplate) {
        middle.x += point.place.x / static_cast<float>(kCanonicalTemplate.size());
        middle.y += point.place.y / static_cast<float>(kCanonicalTemplate.size());
    }
    return middle;
}

std::optional<Placement> placement_of(const Landmarks& landmarks) {
    const std::optional<Similarity> to_canonical = fit_canonical(landmarks);
    if (!to_canonical) return std::nullopt;
    const Similarity to_picture = to_canonical->inverse();
    const Point middle = to_picture(template_middle());
    return Placement{middle.x, middle.y, to_picture.angle_rad(), std::log(to_picture.scale())};
}

Similarity similarity_of(const Placement& placement) {
    const double scale = std::exp(placement[3]);
    Similarity to_picture{scale * std::cos(placement[kAngle]), scale * std::sin(placement[kAngle]), 0, 0};
    const Point moved = to_picture(template_middle());
    to_picture.dx = placement[0] - moved.x;
    to_picture.dy = placement[1] - moved.y;
    return to_picture.inverse();
}

double turn(double from, double to) {
    return std::remainder(to - from, 2 * std::numbers::pi);
}

struct Course {
    std::vector<Placement> seen;
    std::vector<Placement> moved;  ///< since the frame before, by flow
    Series unit;                   ///< pixels of the picture per canonical pixel
};

Course course_of(const std::vector<RawFace>& faces, const std::vector<Measured>& measured) {
    const std::size_t count = faces.size();
    Course course{std::vector<Placement>(count), std::vector<Placement>(count), Series(count, 1)};
    double last_angle = 0;
    double last_unit = 1;
    for (std::size_t t = 0; t < count; ++t) {
        if (measured[t].seen) {
            course.seen[t] = *placement_of(faces[t].fitted);
            course.seen[t][kAngle] = last_angle + turn(last_angle, course.seen[t][kAngle]);  // on beyond half a turn
            last_angle = course.seen[t][kAngle];
            last_unit = std::exp(course.seen[t][3]);
        }
        course.unit[t] = last_unit;
        const auto flown = measured[t].carried ? placement_of(measured[t].flow) : std::nullopt;
        if (!flown) continue;
        for (std::size_t k = 0; k < kNumbers; ++k) course.moved[t][k] = (*flown)[k] - course.seen[t - 1][k];
        course.moved[t][kAngle] = turn(course.seen[t - 1][kAngle], (*flown)[kAngle]);
    }
    return course;
}

Series smooth_number(const Course& course, const std::vector<Measured>& measured, std::size_t k) {
    const std::size_t count = measured.size();
    const auto unit = [&](std::size_t t) { return k < kAngle ? course.unit[t] : 1 / kArm; };  // per canonical pixel
    Series surprise(count);
    Series steady;
    for (std::size_t t = 1; t < count; ++t) {
        if (!measured[t].carried) continue;
        surprise[t] = (course.seen[t][k] - course.seen[t - 1][k] - course.moved[t][k]) / unit(t);
        steady.push_back(surprise[t]);
    }
    // A surprise holds the tremor of two frames.
    const double noise = std::max(robust_variance(std::move(steady)) / 2, 0.002);
    std::vector<Sighting> sightings(count);
    for (std::size_t t = 0; t < count; ++t) {
        constexpr double kFlowNoise = 0.02;  // of a frame's movement, and
        constexpr double kFlowDoubt = 0.05;  // the share of it that may be wrong
        constexpr double kNoFlow = 1;        // variance of a movement that nobody saw
        constexpr double kSure = 4;          // tremors' worth of disagreement that may be chance
        double wander = kNoFlow;
        if (measured[t].carried)
            wander = squared(kFlowNoise) + squared(kFlowDoubt * course.moved[t][k] / unit(t)) +
                     std::max(0.0, missed(surprise, t, 3) - kSure * noise);
        const double area = squared(unit(t));
        sightings[t] = {course.seen[t][k], measured[t].seen ? 1 / (noise * area) : 0, course.moved[t][k],
                        wander * area};
    }
    return smooth_robustly(std::move(sightings), 2.5);
}

}  // namespace

std::vector<Similarity> rigid_course(const std::vector<RawFace>& faces, const std::vector<Measured>& measured) {
    const Course course = course_of(faces, measured);
    std::vector<Placement> smooth(faces.size());
    for (std::size_t k = 0; k < kNumbers; ++k) {
        const Series numbers = smooth_number(course, measured, k);
        for (std::size_t t = 0; t < faces.size(); ++t) smooth[t][k] = numbers[t];
    }
    std::vector<Similarity> result;
    result.reserve(smooth.size());
    for (const Placement& placement : smooth) result.push_back(similarity_of(placement));
    return result;
}

}  // namespace omnisync::tracking
