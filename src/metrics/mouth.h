// What one mouth looks like in one picture, in figures.
#pragma once

#include <optional>
#include <vector>

#include "metrics/region.h"

namespace omnisync::metrics {

/// Whole pixels; the last two beyond it.
struct PixelBox {
    int left = 0, top = 0, right = 0, bottom = 0;
    [[nodiscard]] Point middle() const {
        return {static_cast<float>(left + right) / 2, static_cast<float>(top + bottom) / 2};
    }
};
/// Around the outer lips.
[[nodiscard]] PixelBox mouth_box(const FaceFrame& face);

/// Variance of the Laplacian (4 neighbours) of the luma within the box, at native pixels. 0 where less than a pixel of
/// the box can be measured. Blur lowers it; noise and ringing raise it.
[[nodiscard]] double sharpness(const GrayView& luma, const PixelBox& box);

/// Distance of the mouth's 20 landmarks in two pictures, each on its own canonical face: mean over the points,
/// canonical pixels (outer corners of the eyes lie 75.2 apart).
[[nodiscard]] double mouth_distance(const FaceFrame& a, const FaceFrame& b);

/// A part of the canonical face as luma, one value a canonical pixel (the mean of four points), 0 .. 255.
struct Crop {
    int width = 0, height = 0;
    std::vector<float> luma;
};
/// Lips, teeth and the skin around them.
[[nodiscard]] Crop mouth_crop(const GrayView& luma, const Similarity& to_canonical);
/// Eyes, brows and the bridge of the nose: what speech does not move.
[[nodiscard]] Crop upper_face_crop(const GrayView& luma, const Similarity& to_canonical);

/// Mean square of the second difference over time of three successive crops: levels squared.
[[nodiscard]] double flicker(const Crop& before, const Crop& now, const Crop& after);

/// Correlation of two crops' luma (blind to brightness and contrast), -1 .. 1. Nothing when one of them is flat.
[[nodiscard]] std::optional<double> likeness(const Crop& a, const Crop& b);

/// What `picture` minus `reference` does across the edit's edge: mean square of its step from pixel to pixel across
/// the rim of the region (within which it must fade to nothing), and the same further out, where nothing is edited and
/// only encoders differ. Levels squared. Nothing where the rim is not in the picture.
struct Seam {
    double rim = 0, outside = 0;
};
[[nodiscard]] std::optional<Seam> seam(const GrayView& picture, const GrayView& reference, const EditRegion& region);

}  // namespace omnisync::metrics
