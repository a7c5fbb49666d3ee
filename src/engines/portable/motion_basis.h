// How a mouth moves, as a few numbers a frame: principal components of the mouth and jaw landmarks.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "weights/parameters.h"

namespace omnisync::portable {

/// The landmarks that speech moves, in this order: jaw 4..12, mouth 48..67.
inline constexpr int kJawFirst = 4;
inline constexpr int kJawPoints = 9;
inline constexpr int kMouthFirst = 48;
inline constexpr int kMouthPoints = 20;
inline constexpr int kMotionPoints = kJawPoints + kMouthPoints;
inline constexpr int kComponents = 8;

/// [..., 68, 2] -> [..., kMotionPoints, 2].
[[nodiscard]] at::Tensor motion_points(const at::Tensor& landmarks);

/// How far the lips are apart: mean vertical distance of the three inner pairs, in the unit of the points.
/// [..., kMotionPoints, 2] -> [...].
[[nodiscard]] at::Tensor opening(const at::Tensor& motion_points);

/// Of each inner pair, 61-67, 62-66, 63-65: [..., kMotionPoints, 2] -> [..., 3].
[[nodiscard]] at::Tensor inner_gaps(const at::Tensor& motion_points);

/// Offsets of the motion points from their mean shape, in canonical pixels, as kComponents numbers of deviation 1.
struct MotionBasis {
    at::Tensor axes;       ///< [kComponents, 2 * kMotionPoints], orthonormal rows
    at::Tensor deviation;  ///< [kComponents], canonical pixels

    /// Principal components of `offsets` [n, kMotionPoints, 2].
    [[nodiscard]] static MotionBasis of(const at::Tensor& offsets);
    /// From the parameters "basis.axes" and "basis.deviation".
    explicit MotionBasis(const weights::Scope& scope);
    MotionBasis() = default;

    [[nodiscard]] at::Tensor encode(
        const at::Tensor& offsets) const;                             ///< [..., kMotionPoints, 2] -> [..., kComponents]
    [[nodiscard]] at::Tensor decode(const at::Tensor& motion) const;  ///< and back
    /// [kComponents]: opening(decode(m)) = m . this.
    [[nodiscard]] at::Tensor opening_of() const;
};

}  // namespace omnisync::portable
