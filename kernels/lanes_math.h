// Functions of sixteen floats (lanes.h), of IEEE operations in a fixed order: the same bits on every CPU variant.
#pragma once

#include "kernels/lanes.h"

namespace omnisync::kernels {

/// NaN where x is.
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> clamped(const Lanes<N, W, B>& x, float least, float most) {
    return lanewise(
        [=](auto v) OMNISYNC_INLINE {
            const auto low = decltype(v){} + least;
            const auto high = decltype(v){} + most;
            const auto above = v < low ? low : v;
            return above > high ? high : above;
        },
        x);
}

/// a + b x, rounded once.
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> line(float a, const Lanes<N, W, B>& b, const Lanes<N, W, B>& x) {
    return multiply_add(b, x, all_lanes<Lanes<N, W, B>>(a));
}

/// exp(x), within 2 * 2^-24 of its value between -87 and 88; less is e^-87, from 88.4 on it is infinite.
///
/// x = n ln 2 + f with |f| <= ln 2 / 2; exp(f) is a polynomial of degree 6, interpolated at Chebyshev nodes (2e-9).
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> exp(const Lanes<N, W, B>& x) {
    using L = Lanes<N, W, B>;
    constexpr float kLog2e = 1.44269504F;
    constexpr float kLn2High = 0.693359375F;  // few bits: n times it is exact
    constexpr float kLn2Low = -2.12194440e-4F;
    constexpr float kRound = 12582912.0F;  // 1.5 * 2^23: adding it leaves the integer in the low bits
    const L in = clamped(x, -87.0F, 89.0F);
    const L shifted = line(kRound, in, all_lanes<L>(kLog2e));
    const L n = shifted - kRound;
    const L f = multiply_add(n, all_lanes<L>(-kLn2Low), multiply_add(n, all_lanes<L>(-kLn2High), in));
    L p = all_lanes<L>(1.39411190e-3F);
    p = line(8.37513432e-3F, p, f);
    p = line(4.16663513e-2F, p, f);
    p = line(0.166664153F, p, f);
    p = line(0.5F, p, f);
    p = line(1.0F, p, f);
    p = line(1.0F, p, f);
    const auto power = [](auto v) OMNISYNC_INLINE {
        typedef std::uint32_t Words __attribute__((vector_size(sizeof v)));
        return reinterpret_cast<decltype(v)>((reinterpret_cast<Words>(v) << 23) + 0x3f800000U);
    };
    return p * lanewise(power, shifted);
}

}  // namespace omnisync::kernels
