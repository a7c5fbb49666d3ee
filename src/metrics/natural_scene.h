// Natural scene statistics, on which NIQE and BRISQUE rest, and NIQE.
//
// Mittal, Soundararajan, Bovik: "Making a 'Completely Blind' Image Quality Analyzer" (2013). Natural pictures, locally
// normalised, have coefficients (MSCN) whose distribution hardly varies; what a picture went through shows in it.
#pragma once

#include <array>
#include <vector>

#include "metrics/gaussian.h"
#include "omnisync/picture.h"

namespace omnisync::metrics {

/// Of one patch, at full and at half size: shape and scale of the MSCN coefficients, then shape, mean, left and right
/// scale of their products with the neighbour to the right, below, below right, below left.
inline constexpr std::size_t kNaturalFeatures = 36;
using NaturalFeatures = std::array<float, kNaturalFeatures>;

/// Of the paper: 96 pixels.
inline constexpr int kNiqePatch = 96;

struct NaturalPatch {
    NaturalFeatures features{};
    double sharpness = 0;  ///< mean local deviation at full size
};
/// Patches of `side` pixels (even), side by side from the top left; what is left over at the right and below is not
/// used. Empty for a picture smaller than one patch. Flat patches (no coefficients but 0) are left out.
[[nodiscard]] std::vector<NaturalPatch> natural_patches(const GrayView& luma, int side);

/// Distance of patches from undistorted pictures' (`pristine`: a fit of features in this order): 0 and up, lower is
/// better. NaN for fewer than two patches.
[[nodiscard]] double niqe(const std::vector<NaturalPatch>& patches, const Gaussian& pristine);

}  // namespace omnisync::metrics
