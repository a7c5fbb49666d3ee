// How pictures differ from their references inside and outside the edit.
#pragma once

#include <vector>

#include "metrics/region.h"

namespace omnisync::metrics {

struct PixelErrors {
    double squares = 0;  ///< of differences of luma, 0 .. 255
    double samples = 0;
    double ssim = 0;  ///< summed over windows of 8x8 pixels that are 4 apart
    double windows = 0;

    PixelErrors& operator+=(const PixelErrors& other);
    /// dB; kEqualPsnr for equal pixels and where rounding alone would give more. NaN: nothing was compared.
    [[nodiscard]] double psnr() const;
    /// Of the mean window. NaN: nothing was compared.
    [[nodiscard]] double mean_ssim() const;
    static constexpr double kEqualPsnr = 100;
};

struct RegionErrors {
    PixelErrors inside, outside;
    RegionErrors& operator+=(const RegionErrors& other);
};

/// Of two pictures of one size. A pixel is inside when it may be edited for one of the faces; a window goes with the
/// pixel in its middle.
[[nodiscard]] RegionErrors compare_pixels(const GrayView& picture, const GrayView& reference,
                                          const std::vector<EditRegion>& regions);

}  // namespace omnisync::metrics
