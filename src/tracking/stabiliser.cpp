#include "tracking/stabiliser.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "base/canonical_face.h"
#include "base/median.h"
#include "tracking/measured.h"
#include "tracking/rigid_course.h"
#include "tracking/series.h"
#include "tracking/smoother.h"

// How it works. Two measurements of the same thing meet: where the landmark model sees a face in each frame (unbiased,
// but it trembles), and how optical flow saw it move since the frame before (hardly trembles, but its errors add up,
// and it goes astray where lips part, eyes close or the background touches the jaw). A smoother that knows how far to
// trust each gives the most likely course. First the rigid part, a similarity (rigid_course.h); then, in the canonical
// frame which that gives, every point. Lengths and noise below are in canonical pixels.
namespace omnisync::tracking {
namespace {

/// Points that move together.
struct Group {
    std::array<std::int8_t, 12> points{};  ///< up to the first -1
    double noise = 0;                      ///< variance of the landmark model's tremor in one coordinate
    double doubt = 0;                      ///< share of a movement seen by flow that may be wrong
    std::size_t reach = 2;                 ///< frames each way over which the measurements must disagree to count

    [[nodiscard]] std::span<const std::int8_t> members() const {
        return {points.begin(), std::find(points.begin(), points.end(), std::int8_t{-1})};
    }
};

// Tremor: medians over frozen frames with sensor noise, recompressed (three portraits and a GRID clip). Only the
// relations count, tremor_of() measures the rest. The slower something moves against the nose, the longer the reach.
constexpr std::array<Group, 10> kGroups{{{{0, 1, 2, 3, 4, -1}, 0.2, 0.5, 6},
                                         {{12, 13, 14, 15, 16, -1}, 0.2, 0.5, 6},
                                         {{5, 6, 7, 8, 9, 10, 11, -1}, 0.2, 0.5, 3},
                                         {{17, 18, 19, 20, 21, -1}, 0.2, 0.2, 4},
                                         {{22, 23, 24, 25, 26, -1}, 0.2, 0.2, 4},
                                         {{27, 28, 29, 30, 31, 32, 33, 34, 35, -1}, 0.025, 0.1, 6},
                                         {{36, 37, 38, 39, 40, 41, -1}, 0.02, 0.3, 2},
                                         {{42, 43, 44, 45, 46, 47, -1}, 0.02, 0.3, 2},
                                         {{48, 49, 50, 51, 52, 53, 54, 60, 61, 62, 63, 64}, 0.025, 0.3, 2},
                                         {{55, 56, 57, 58, 59, 65, 66, 67, -1}, 0.025, 0.3, 2}}};
constexpr std::size_t kFirstSteady = 5;  // nose and eyes hardly change shape
constexpr std::size_t kEndSteady = 8;

/// Landmarks in the canonical frame of the rigid course, one coordinate.
struct Coordinate {
    std::array<Series, kLandmarks> seen;
    std::array<Series, kLandmarks> moved;     ///< since the frame before, by flow
    std::array<Series, kLandmarks> surprise;  ///< what the landmark model saw move and flow did not
};

void set(Coordinate& coordinate, std::size_t i, std::size_t t, double seen, double flown, const Measured& measured) {
    coordinate.seen[i][t] = seen;
    if (!measured.carried) return;
    coordinate.moved[i][t] = flown - coordinate.seen[i][t - 1];
    coordinate.surprise[i][t] = seen - flown;
}

std::array<Coordinate, 2> to_canonical(const std::vector<RawFace>& faces, const std::vector<Measured>& measured,
                                       const std::vector<Similarity>& rigid) {
    std::array<Coordinate, 2> result;
    for (Coordinate& coordinate : result)
        for (auto* series : {&coordinate.seen, &coordinate.moved, &coordinate.surprise})
            for (Series& one : *series) one.resize(faces.size());
    for (std::size_t t = 0; t < faces.size(); ++t) {
        if (!measured[t].seen) continue;
        for (std::size_t i = 0; i < kLandmarks; ++i) {
            const Point seen = rigid[t](faces[t].fitted[i]);
            const Point flown = rigid[t](measured[t].flow[i]);
            set(result[0], i, t, seen.x, flown.x, measured[t]);
            set(result[1], i, t, seen.y, flown.y, measured[t]);
        }
    }
    return result;
}

/// How much the landmark model trembles on this footage, relative to kGroups.
double tremor_of(const std::array<Coordinate, 2>& canonical, const std::vector<Measured>& measured) {
    Series ratios;
    for (std::size_t g = kFirstSteady; g < kEndSteady; ++g) {
        for (const std::int8_t point : kGroups[g].members()) {
            for (const Coordinate& coordinate : canonical) {
                Series surprises;
                for (std::size_t t = 1; t < measured.size(); ++t)
                    if (measured[t].carried)
                        surprises.push_back(coordinate.surprise[static_cast<std::size_t>(point)][t]);
                if (surprises.empty()) return 1;
                ratios.push_back(robust_variance(std::move(surprises)) / 2 / kGroups[g].noise);
            }
        }
    }
    return std::clamp(median(std::move(ratios)), 0.2, 100.0);
}

/// Gives every point of the group its most likely course, in place of what was seen.
void smooth_group(const Group& group, double tremor, const std::vector<Measured>& measured, Coordinate& coordinate) {
    constexpr double kFlowNoise = 0.02;
    constexpr double kNoFlow = 0.5;    // variance of a movement that nobody saw
    constexpr double kGroupSure = 2;   // tremors' worth of disagreement that may be chance, of a whole group
    constexpr double kSingleSure = 8;  // ... and of a single point
    const double noise = tremor * group.noise;
    const std::size_t count = measured.size();
    std::array<Series, 12> missing;
    Series together(count);
    for (std::size_t k = 0; k < group.members().size(); ++k) {
        const Series& surprise = coordinate.surprise[static_cast<std::size_t>(group.points[k])];
        missing[k].resize(count);
        for (std::size_t t = 1; t < count; ++t) {
            missing[k][t] = missed(surprise, t, group.reach);
            together[t] += missing[k][t] / static_cast<double>(group.members().size());
        }
    }
    for (std::size_t k = 0; k < group.members().size(); ++k) {
        const auto i = static_cast<std::size_t>(group.points[k]);
        std::vector<Sighting> sightings(count);
        for (std::size_t t = 0; t < count; ++t) {
            double wander = kNoFlow;
            if (measured[t].carried)
                wander = squared(kFlowNoise) + squared(measured[t].error[i]) +
                         squared(group.doubt * coordinate.moved[i][t]) +
                         std::max(0.0, together[t] - kGroupSure * noise) +
                         std::max(0.0, missing[k][t] - kSingleSure * noise);
            sightings[t] = {coordinate.seen[i][t], measured[t].seen ? 1 / noise : 0, coordinate.moved[i][t], wander};
        }
        coordinate.seen[i] = smooth_robustly(std::move(sightings), 2.5);
    }
}

}  // namespace

Stabilised stabilise(const std::vector<RawFace>& faces) {
    const std::vector<Measured> measured = measure(faces);
    const std::vector<Similarity> rigid = rigid_course(faces, measured);
    std::array<Coordinate, 2> canonical = to_canonical(faces, measured, rigid);
    const double tremor = tremor_of(canonical, measured);
    for (const Group& group : kGroups)
        for (Coordinate& coordinate : canonical) smooth_group(group, tremor, measured, coordinate);

    Stabilised result;
    result.landmarks.resize(faces.size());
    for (std::size_t t = 0; t < faces.size(); ++t) {
        const Similarity back = rigid[t].inverse();
        for (std::size_t i = 0; i < kLandmarks; ++i)
            result.landmarks[t][i] =
                back({static_cast<float>(canonical[0].seen[i][t]), static_cast<float>(canonical[1].seen[i][t])});
        result.to_canonical.push_back(fit_canonical(result.landmarks[t]).value_or(rigid[t]));
    }
    result.to_canonical = smooth_canonical(result.to_canonical);
    return result;
}

}  // namespace omnisync::tracking
