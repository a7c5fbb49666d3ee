#include "tracking/pose.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>

#include "base/canonical_face.h"

namespace omnisync::tracking {
namespace {

/// How far each point of the canonical template lies in front of the nose's root, in canonical pixels. Across and down
/// the template is a mean frontal face already (0.84 pixels a millimetre, outer eye corners 90 mm apart). The depths
/// are ours, from means of facial anthropometry: a nose tip 20 mm before its wings, wings level with the root, inner
/// eye corners 11 mm and outer ones 23 mm behind it.
constexpr std::array<double, kCanonicalTemplate.size()> kDepth{0, 4, 10, 16, 0, 6, 0, -19, -9, -9, -19};

constexpr int kParameters = 6;  // yaw, pitch, roll in radians, logarithm of the scale, and where the centre lies
using Parameters = std::array<double, kParameters>;

struct Place {
    double x;
    double y;
};

Place project(const Parameters& p, double x, double y, double z) {
    // A nod in the head's own frame, a turn about the vertical, then the picture's plane. z points to the camera.
    const double nodded = y * std::cos(p[1]) + z * std::sin(p[1]);
    const double depth = z * std::cos(p[1]) - y * std::sin(p[1]);
    const double turned = x * std::cos(p[0]) + depth * std::sin(p[0]);
    const double scale = std::exp(p[3]);
    return {scale * (turned * std::cos(p[2]) - nodded * std::sin(p[2])) + p[4],
            scale * (turned * std::sin(p[2]) + nodded * std::cos(p[2])) + p[5]};
}

/// Solves m v = r in place by elimination with pivots; false when it is singular.
bool solve(std::array<std::array<double, kParameters + 1>, kParameters>& m) {
    for (std::size_t column = 0; column < kParameters; ++column) {
        std::size_t best = column;
        for (std::size_t row = column; row < kParameters; ++row)
            if (std::abs(m[row][column]) > std::abs(m[best][column])) best = row;
        if (std::abs(m[best][column]) < 1e-12) return false;
        std::swap(m[best], m[column]);
        for (std::size_t row = 0; row < kParameters; ++row) {
            if (row == column) continue;
            const double factor = m[row][column] / m[column][column];
            for (std::size_t k = column; k <= kParameters; ++k) m[row][k] -= factor * m[column][k];
        }
    }
    for (std::size_t row = 0; row < kParameters; ++row) m[row][kParameters] /= m[row][row];
    return true;
}

struct Target {
    std::array<Place, kCanonicalTemplate.size()> places;  ///< the landmarks, in the canonical frame
};

double misfit(const Target& target, const Parameters& p) {
    double sum = 0;
    for (std::size_t i = 0; i < kDepth.size(); ++i) {
        const Place at =
            project(p, kCanonicalTemplate[i].place.x - 80.0, kCanonicalTemplate[i].place.y - 68.0, kDepth[i]);
        sum += (target.places[i].x - at.x) * (target.places[i].x - at.x) +
               (target.places[i].y - at.y) * (target.places[i].y - at.y);
    }
    return sum;
}

/// One Levenberg-Marquardt step from `p`.
std::optional<Parameters> step_from(const Target& target, const Parameters& p, double damping) {
    std::array<std::array<double, kParameters + 1>, kParameters> normal{};
    constexpr double kDelta = 1e-5;
    for (std::size_t i = 0; i < kDepth.size(); ++i) {
        const double x = kCanonicalTemplate[i].place.x - 80.0;
        const double y = kCanonicalTemplate[i].place.y - 68.0;
        const Place at = project(p, x, y, kDepth[i]);
        std::array<std::array<double, kParameters>, 2> slope{};
        for (std::size_t k = 0; k < kParameters; ++k) {
            Parameters moved = p;
            moved[k] += kDelta;
            const Place there = project(moved, x, y, kDepth[i]);
            slope[0][k] = (there.x - at.x) / kDelta;
            slope[1][k] = (there.y - at.y) / kDelta;
        }
        const std::array<double, 2> rest{target.places[i].x - at.x, target.places[i].y - at.y};
        for (std::size_t axis = 0; axis < 2; ++axis) {
            for (std::size_t row = 0; row < kParameters; ++row) {
                for (std::size_t column = 0; column < kParameters; ++column)
                    normal[row][column] += slope[axis][row] * slope[axis][column];
                normal[row][kParameters] += slope[axis][row] * rest[axis];
            }
        }
    }
    for (std::size_t k = 0; k < kParameters; ++k) normal[k][k] *= 1 + damping;
    if (!solve(normal)) return std::nullopt;
    Parameters next = p;
    for (std::size_t k = 0; k < kParameters; ++k) next[k] += normal[k][kParameters];
    constexpr double kMostTurn = 1.4;  // 80 degrees: beyond, half of the points are not seen
    next[0] = std::clamp(next[0], -kMostTurn, kMostTurn);
    next[1] = std::clamp(next[1], -kMostTurn, kMostTurn);
    return next;
}

}  // namespace

HeadPose pose_of(const Landmarks& landmarks) {
    const std::optional<Similarity> to_canonical = fit_canonical(landmarks);
    if (!to_canonical) return {};
    Target target;
    for (std::size_t i = 0; i < target.places.size(); ++i) {
        const Point place = (*to_canonical)(landmarks[static_cast<std::size_t>(kCanonicalTemplate[i].landmark)]);
        target.places[i] = {place.x - 80.0, place.y - 68.0};
    }
    Parameters best{};
    double least = misfit(target, best);
    double damping = 1e-2;
    for (int round = 0; round < 20; ++round) {
        const std::optional<Parameters> next = step_from(target, best, damping);
        const double now = next ? misfit(target, *next) : least;
        if (next && now < least) {
            const bool settled = least - now < 1e-7 * least;
            best = *next;
            least = now;
            damping = std::max(damping / 5, 1e-6);
            if (settled) break;
        } else {
            damping *= 10;
            if (damping > 1e6) break;
        }
    }
    constexpr double kDegrees = 180 / std::numbers::pi;
    const double roll = std::remainder(best[2] - to_canonical->angle_rad(), 2 * std::numbers::pi);
    return {static_cast<float>(best[0] * kDegrees), static_cast<float>(best[1] * kDegrees),
            static_cast<float>(roll * kDegrees)};
}

}  // namespace omnisync::tracking
