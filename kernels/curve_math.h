// Coded colours to light and back, one source for the CPU and the device, to the same bits on both: IEEE additions,
// multiplications, divisions and square roots in a fixed order (g++ -ffp-contract=off, nvcc -fmad=false).
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/noise_math.h"
#include "kernels/target.h"

namespace omnisync::kernels {

/// How coded values stand for light: BT.1886's gamma of 2.4, values in proportion to light, SMPTE ST 2084 and the scene
/// light of BT.2100's hybrid log-gamma.
enum class Curve : std::int32_t { gamma, linear, pq, hlg };

namespace curve_math {

/// ln x for a normal x > 0, within 2e-7 of the larger of |ln x| and |x - 1|.
OMNISYNC_HD float log(float x) {
    const auto bits = bit_cast<std::int32_t>(x);
    const std::int32_t k = (bits - 0x3f3504f3) >> 23;  // x = (1 + f) * 2^k, 1 + f in [sqrt(1/2), sqrt(2))
    return noise_math::log(bit_cast<float>(bits - k * (1 << 23)) - 1.0F, static_cast<float>(k));
}

/// e^x for x of -87 .. 88, within 2e-7 of its value and what x's own rounding makes of it.
OMNISYNC_HD float exp(float x) {
    const float bounded = x < -87.0F ? -87.0F : x > 88.0F ? 88.0F : x;
    const float n = (bounded * 1.44269504F + 12582912.0F) - 12582912.0F;  // the nearest whole number
    const float rest = (bounded - n * 0.693359375F) - n * -2.12194440e-4F;
    const float r = rest * 1.44269504F;
    // 2^r over [-0.505, 0.505], interpolated at Chebyshev nodes: 2e-8.
    float p = 0x1.444642p-13F;
    p = p * r + 0x1.5f51cap-10F;
    p = p * r + 0x1.3b2a16p-7F;
    p = p * r + 0x1.c6aebap-5F;
    p = p * r + 0x1.ebfbe0p-3F;
    p = p * r + 0x1.62e430p-1F;
    p = p * r + 1.0F;
    return bit_cast<float>(bit_cast<std::int32_t>(p) + static_cast<std::int32_t>(n) * (1 << 23));
}

/// x^y for x of 0 .. 1 and y > 0; what is below 1e-37 counts as 0.
OMNISYNC_HD float power(float x, float y) {
    const float known = x > 1e-37F ? x : 1.0F;
    const float value = exp(y * log(known));
    return x > 1e-37F ? value : 0.0F;
}

OMNISYNC_HD float unit(float x) {  // NaN stays
    return x < 0.0F ? 0.0F : x > 1.0F ? 1.0F : x;
}

// SMPTE ST 2084, equations 4.1 and 5.1.
inline constexpr double kM1 = 2610.0 / 16384, kM2 = 2523.0 / 4096 * 128;
inline constexpr double kC1 = 3424.0 / 4096, kC2 = 2413.0 / 4096 * 32, kC3 = 2392.0 / 4096 * 32;
// ITU-R BT.2100, table 5.
inline constexpr double kA = 0.17883277, kB = 1 - 4 * kA, kC = 0.55991073;
inline constexpr double kGamma = 2.4;

/// Of a coded value of 0 .. 1, light in proportion, 0 .. 1.
template <Curve curve>
OMNISYNC_HD float to_light(float v) {
    if constexpr (curve == Curve::gamma) return power(v, static_cast<float>(kGamma));
    if constexpr (curve == Curve::pq) {
        const float p = power(v, static_cast<float>(1 / kM2));
        const float over = p - static_cast<float>(kC1);
        const float light = (over > 0.0F ? over : 0.0F) / (static_cast<float>(kC2) - static_cast<float>(kC3) * p);
        return power(light, static_cast<float>(1 / kM1));
    }
    if constexpr (curve == Curve::hlg) {
        const float above = (exp((v - static_cast<float>(kC)) * static_cast<float>(1 / kA)) + static_cast<float>(kB)) *
                            static_cast<float>(1.0 / 12);
        return v <= 0.5F ? v * v * static_cast<float>(1.0 / 3) : above;
    }
    return v;
}

/// The inverse.
template <Curve curve>
OMNISYNC_HD float to_coded(float light) {
    const float l = unit(light);
    if constexpr (curve == Curve::gamma) return power(l, static_cast<float>(1 / kGamma));
    if constexpr (curve == Curve::pq) {
        const float p = power(l, static_cast<float>(kM1));
        const float coded =
            (static_cast<float>(kC1) + static_cast<float>(kC2) * p) / (1.0F + static_cast<float>(kC3) * p);
        return power(coded, static_cast<float>(kM2));
    }
    if constexpr (curve == Curve::hlg) {
        const float inside = l * 12.0F - static_cast<float>(kB);
        const float above = static_cast<float>(kA) * log(inside > 1e-9F ? inside : 1e-9F) + static_cast<float>(kC);
        return l <= static_cast<float>(1.0 / 12) ? noise_math::square_root(l * 3.0F) : above;
    }
    return l;
}

}  // namespace curve_math

/// Calls `body.template operator()<curve>()`.
template <class Body>
OMNISYNC_HD void with_curve(Curve curve, Body&& body) {
    switch (curve) {
        case Curve::linear:
            return body.template operator()<Curve::linear>();
        case Curve::pq:
            return body.template operator()<Curve::pq>();
        case Curve::hlg:
            return body.template operator()<Curve::hlg>();
        default:
            return body.template operator()<Curve::gamma>();
    }
}

}  // namespace omnisync::kernels
