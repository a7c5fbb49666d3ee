#include "tracking/measured.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>

#include "base/canonical_face.h"
#include "tracking/geometry.h"
#include "tracking/series.h"

namespace omnisync::tracking {
namespace {

// Points of the upper face, which move together; the mouth and the jaw go their own ways.
constexpr std::size_t kUpper = 17;
constexpr std::size_t kUpperEnd = 48;
constexpr double kMostError = 1;  // canonical pixels: flow that returns further off has lost its point

bool finite(Point point) {
    return std::abs(point.x) < 1e6F && std::abs(point.y) < 1e6F;
}  // false for NaN

/// Canonical pixels that a point can move against the upper face within a frame; further, and flow took hold of
/// something else.
double most_movement(std::size_t landmark) {
    if (landmark < kUpper) return 2;
    if (landmark < 36) return 1.5;
    return landmark < kUpperEnd ? 4 : 10;
}

/// Where flow leads, still with its noise, and where the upper face as a whole leads.
struct Led {
    Landmarks points{};
    double scale = 0;  ///< canonical pixels per pixel of the picture
};

std::optional<Led> follow_upper_face(const RawFace& face, const Landmarks& before, Measured& measured) {
    Led led;
    led.scale = fit_canonical(before)->scale();
    std::array<float, kLandmarks> weights{};
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        const double error = face.flow_error[i] * led.scale;
        const bool usable = error >= 0 && error < kMostError && finite(face.carried[i]);
        measured.flow[i] = usable ? face.carried[i] : before[i];
        measured.error[i] = usable ? static_cast<float>(error) : -1;
        if (usable && i >= kUpper && i < kUpperEnd) weights[i] = 1;
    }
    constexpr int kEnough = 10;
    if (std::count(weights.begin(), weights.end(), 1.0F) < kEnough) return std::nullopt;
    constexpr std::size_t kCount = kUpperEnd - kUpper;
    const Similarity whole =
        fit_most(std::span(before).subspan<kUpper, kCount>(), std::span(measured.flow).subspan<kUpper, kCount>(),
                 std::span(weights).subspan<kUpper, kCount>(), static_cast<float>(0.5 / led.scale));
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        led.points[i] = whole(before[i]);
        if (measured.error[i] < 0 || distance(led.points[i], measured.flow[i]) * led.scale > most_movement(i)) {
            measured.flow[i] = led.points[i];
            measured.error[i] = static_cast<float>(kMostError);
        }
    }
    return led;
}

/// What flow says of single points of nose and eyes beyond their common movement is mostly its own noise: standard
/// deviation in one coordinate, canonical pixels.
double flow_noise(const std::vector<Measured>& measured, const std::vector<std::optional<Led>>& led) {
    Series off;
    for (std::size_t t = 0; t < measured.size(); ++t) {
        if (!led[t]) continue;
        for (std::size_t i = 27; i < kUpperEnd; ++i) {
            off.push_back((measured[t].flow[i].x - led[t]->points[i].x) * led[t]->scale);
            off.push_back((measured[t].flow[i].y - led[t]->points[i].y) * led[t]->scale);
        }
    }
    return std::clamp(std::sqrt(robust_variance(std::move(off))), 0.03, 0.5);
}

/// Large movements of single points are real, small ones are flow's own noise.
void calm(Measured& measured, const Led& led, double noise) {
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        Point& flow = measured.flow[i];
        const Point whole = led.points[i];
        const double off = squared(distance(flow, whole) * led.scale);
        const double doubt = squared(3 * noise + 6 * static_cast<double>(measured.error[i]));
        const auto share = static_cast<float>(off / (off + doubt));
        flow = {whole.x + (flow.x - whole.x) * share, whole.y + (flow.y - whole.y) * share};
    }
}

}  // namespace

std::vector<Measured> measure(const std::vector<RawFace>& faces) {
    std::vector<Measured> measured(faces.size());
    std::vector<std::optional<Led>> led(faces.size());
    for (std::size_t t = 0; t < faces.size(); ++t) {
        const RawFace& face = faces[t];
        measured[t].seen = face.source != RawFace::Source::bridged &&
                           std::all_of(face.fitted.begin(), face.fitted.end(), finite) &&
                           fit_canonical(face.fitted).has_value();
        if (!measured[t].seen || t == 0 || !measured[t - 1].seen) continue;
        led[t] = follow_upper_face(face, faces[t - 1].fitted, measured[t]);
        measured[t].carried = led[t].has_value();
    }
    const double noise = flow_noise(measured, led);
    for (std::size_t t = 0; t < faces.size(); ++t)
        if (led[t]) calm(measured[t], *led[t], noise);
    return measured;
}

}  // namespace omnisync::tracking
