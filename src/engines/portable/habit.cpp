#include "engines/portable/habit.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/sort.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "engines/portable/course.h"
#include "engines/portable/exemplars.h"

namespace omnisync::portable {
namespace {

constexpr double kClosed = 0.08;        // the share of frames, least open first, whose mean is the mouth at rest
constexpr double kMostClosed = 1;       // canonical pixels: lips further apart are not closed, be it the least they are
constexpr double kRare = 0.02;          // the share of frames on each side that may be mistakes
constexpr double kTurn = 20;            // degrees of yaw or pitch that make a pose term of 1
constexpr std::int64_t kPoseTerms = 3;  // yaw, its square, pitch
constexpr double kStiffness = 0.1;      // a term's variance below which it explains little: heads that hardly turn

/// [n, kPoseTerms]
at::Tensor pose_terms(const std::vector<const FaceFrame*>& faces) {
    const at::Tensor terms = at::empty({static_cast<std::int64_t>(faces.size()), kPoseTerms});
    float* to = terms.mutable_data_ptr<float>();
    for (const FaceFrame* face : faces) {
        const auto yaw = static_cast<float>(face->pose.yaw / kTurn);
        *to++ = yaw;
        *to++ = yaw * yaw;
        *to++ = static_cast<float>(face->pose.pitch / kTurn);
    }
    return terms;
}

}  // namespace

at::Tensor motion_points_of(const std::vector<const FaceFrame*>& faces) {
    return motion_points(geometry::canonical_landmarks(faces));
}

at::Tensor Habit::shape_of(const std::vector<const FaceFrame*>& faces) const {
    return mean + at::matmul(pose_terms(faces) - usual, by_pose).view({-1, kMotionPoints, 2});
}

Habit habit_of(const FaceTrack& track, const MotionBasis& basis, double rate_hz) {
    std::vector<const FaceFrame*> seen;
    for (const FaceFrame& face : track.frames)
        if (face.obstacle == Obstacle::none) seen.push_back(&face);
    if (seen.empty())
        for (const FaceFrame& face : track.frames) seen.push_back(&face);
    const at::Tensor points = motion_points_of(seen);
    const auto count = static_cast<double>(seen.size());
    Habit habit;
    habit.mean = points.mean(0);
    const at::Tensor terms = pose_terms(seen);
    habit.usual = terms.mean(0);
    // Ridge regression: a turned head shifts jaw and lips in the canonical face, and that is no speech.
    const at::Tensor x = terms - habit.usual;
    const at::Tensor y = (points - habit.mean).flatten(1);
    const at::Tensor normal = at::matmul(x.t(), x) + kStiffness * count * at::eye(x.size(1));
    habit.by_pose = at::linalg_solve(normal, at::matmul(x.t(), y));

    const at::Tensor moved = points - habit.shape_of(seen);
    const at::Tensor motion = basis.encode(moved);
    const at::Tensor open = opening(points);
    const auto closed = std::max<std::int64_t>(1, static_cast<std::int64_t>(kClosed * count));
    const at::Tensor least = open.argsort().narrow(0, 0, closed);
    habit.rest = motion.index_select(0, least).mean(0);
    habit.closed = std::min(open.index_select(0, least).mean().item<double>(), kMostClosed);
    habit.gaps = inner_gaps(points.index_select(0, least)).mean(0);
    const at::Tensor course = opening(moved);
    habit.spread = travel(course, std::llround(kSpeechWindow_s * rate_hz), at::ones_like(course));
    habit.pace = abruptness(course);
    const at::Tensor sorted = std::get<0>(motion.sort(0));
    const auto rare = static_cast<std::int64_t>(kRare * (count - 1));
    habit.low = sorted[rare];
    habit.high = sorted[sorted.size(0) - 1 - rare];
    habit.widest = std::get<0>(course.sort(0))[course.size(0) - 1 - rare].item<double>();
    habit.style =
        habit.spread < kLeastSpread ? at::zeros({kComponents}) : motion.square().mean(0).clamp_min(1e-3).sqrt().log();
    return habit;
}

}  // namespace omnisync::portable
