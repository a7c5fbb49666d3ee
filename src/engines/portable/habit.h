// How a person holds and moves their mouth: what planning needs to know of a track.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engines/portable/motion_basis.h"
#include "omnisync/faces.h"

namespace omnisync::portable {

/// Motion points of faces, canonical: [n, kMotionPoints, 2].
[[nodiscard]] at::Tensor motion_points_of(const std::vector<const FaceFrame*>& faces);

/// The track's mouth over its whole length.
struct Habit {
    at::Tensor mean;     ///< [kMotionPoints, 2]: of its motion points, canonical, at `usual`
    at::Tensor by_pose;  ///< [pose terms, 2 * kMotionPoints]: what a turn of the head adds
    at::Tensor usual;    ///< [pose terms]: their mean
    at::Tensor rest;     ///< [kComponents]: motion of the closed mouth
    double closed = 0;   ///< opening of the closed mouth as it is measured, canonical pixels; often not 0
    at::Tensor gaps;     ///< [3]: of the inner pairs 61-67, 62-66, 63-65 then
    at::Tensor style;    ///< [kComponents]: ln of deviations
    double spread = 0;   ///< how far the lips' opening travels in speech (travel()), canonical pixels
    double pace = 0;     ///< how abruptly it does so (abruptness()) from frame to frame
    at::Tensor low;      ///< [kComponents]: of its motion, but for rare extremes
    at::Tensor high;     ///< [kComponents]
    double widest = 0;   ///< opening of its motion, but for rare extremes

    /// The face at its mean, turned as `faces` are: what their motion is counted from. [n, kMotionPoints, 2].
    [[nodiscard]] at::Tensor shape_of(const std::vector<const FaceFrame*>& faces) const;
};
/// `rate_hz`: frames a second.
[[nodiscard]] Habit habit_of(const FaceTrack& track, const MotionBasis& basis, double rate_hz);

/// Over which speech opens and closes a mouth a few times, and a smile hardly changes.
inline constexpr double kSpeechWindow_s = 1;

/// A mouth that hardly moves says nothing of its owner's spread.
inline constexpr double kLeastSpread = 0.5;  // canonical pixels

}  // namespace omnisync::portable
