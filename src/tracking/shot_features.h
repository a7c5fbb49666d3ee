// What a small picture is compared by when looking for shot boundaries.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "omnisync/picture.h"

namespace omnisync::tracking {

/// Side of the square that every picture is brought to: small enough to be fast, large enough to match motion.
inline constexpr int kLook = 64;
inline constexpr int kBlur = 16;       ///< side of the blurred picture
inline constexpr int kHistogram = 32;  ///< 16 bins of luma, 8 each of two colour differences

struct ShotFeatures {
    std::vector<std::uint8_t> luma;             ///< kLook * kLook
    std::vector<float> blurred;                 ///< kBlur * kBlur * 3: luma and colour differences, 0..255
    std::array<float, kHistogram> histogram{};  ///< each component sums to 1
    float mean = 0;                             ///< of the luma, 0..255
    float deviation = 0;                        ///< its standard deviation
};

[[nodiscard]] ShotFeatures look_at(const Image& image);
/// Of luma alone: no colour differences anywhere.
[[nodiscard]] ShotFeatures look_at(const GrayView& luma);

/// How unlike two pictures are, each on a scale of its own.
struct Unlikeness {
    float motion = 0;     ///< mean absolute luma difference after matching blocks within some pixels, 0..255
    float plain = 0;      ///< the same without matching
    float histogram = 0;  ///< 0 (same colours) .. 1
    float structure = 0;  ///< 1 - correlation of the blurred pictures: 0 .. 2, blind to brightness and contrast
};
[[nodiscard]] Unlikeness compare(const ShotFeatures& a, const ShotFeatures& b);

/// How well `middle` is a mixture (1 - w) a + w b.
struct Mixture {
    float weight = 0;
    float residual = 0;  ///< of the difference between a and b that the mixture leaves unexplained, 0 .. (about) 1
};
[[nodiscard]] Mixture mixture(const ShotFeatures& a, const ShotFeatures& middle, const ShotFeatures& b);

}  // namespace omnisync::tracking
