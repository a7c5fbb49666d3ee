// The canonical face: where a similarity has to bring a face's rigid landmarks so that it lies as the training footage
// does. std only: what follows faces and what draws them use the same.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync {

struct CanonicalPoint {
    int landmark = 0;  ///< index into Landmarks
    Point place;       ///< in pixels of the canonical square
};

/// Corners of the eyes, bridge and base of the nose. Recovered from the training footage, which does not name it:
/// every clip's mean least-squares similarity to this template is the identity within 0.002 pixels for these very
/// points, and for no other choice of them. tests/tracking/canonical_template_test.cpp finds it again.
inline constexpr std::array<CanonicalPoint, 11> kCanonicalTemplate{{{27, {80.0F, 50.4F}},
                                                                    {28, {80.0F, 60.0F}},
                                                                    {29, {80.0F, 69.6F}},
                                                                    {30, {80.0F, 79.2F}},
                                                                    {31, {68.8F, 87.2F}},
                                                                    {33, {80.0F, 89.6F}},
                                                                    {35, {91.2F, 87.2F}},
                                                                    {36, {42.4F, 50.4F}},
                                                                    {39, {68.0F, 51.2F}},
                                                                    {42, {92.0F, 51.2F}},
                                                                    {45, {117.6F, 50.4F}}}};

/// The training footage smooths its similarities by a Gaussian of this many frames, its edges mirrored.
inline constexpr double kCanonicalSigma = 1.5;

/// The similarity that brings the rigid ones of `landmarks` nearest to the template (least squares). Nothing when they
/// say nothing: not finite, all in one place, or so far apart or near that the result would not be a number.
[[nodiscard]] std::optional<Similarity> fit_canonical(const Landmarks& landmarks);

/// Each parameter of similarities of neighbouring frames, smoothed over time: no lag, edges mirrored.
[[nodiscard]] std::vector<Similarity> smooth_canonical(const std::vector<Similarity>& raw);

/// Where pixels of the picture as it is stored lie on the canonical face; `to_canonical` is of upright ones.
[[nodiscard]] Affine stored_to_canonical(const VideoInfo& video, const Similarity& to_canonical);

}  // namespace omnisync
