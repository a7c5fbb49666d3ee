// How alike two pictures are, in the usual figures.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "media/av.h"

namespace omnisync::media {

struct PlaneDifference {
    double squares = 0;  ///< sum of squared differences of the samples
    double samples = 0;
    int largest = 0;

    PlaneDifference& operator+=(const PlaneDifference& other);
    /// Peak signal to noise ratio in dB for samples of `bits` bits; infinite for equal planes, NaN for none.
    [[nodiscard]] double psnr(int bits) const;
};

struct Likeness {
    std::array<PlaneDifference, 4> planes{};
    int plane_count = 0;
    double ssim = 1;  ///< of the first plane (luma; green of RGB): mean over 8x8 windows that are 4 apart. 1: equal

    [[nodiscard]] PlaneDifference all() const;
    [[nodiscard]] bool equal() const;
};

/// Planar formats with one component a plane, of which PSNR and SSIM are taken as they are.
[[nodiscard]] bool can_compare(AVPixelFormat format);
/// The format among those in which `format` loses least (nothing, for the usual packed ones).
[[nodiscard]] AVPixelFormat comparable(AVPixelFormat format);
/// "y", "u", "v", "a"; "g", "b", "r", "a".
[[nodiscard]] std::string plane_name(AVPixelFormat format, int plane);

/// Both pictures have one size and one comparable format.
[[nodiscard]] Likeness compare(const AVFrame& a, const AVFrame& b);

}  // namespace omnisync::media
