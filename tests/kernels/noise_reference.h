// Noise the slow way, in double precision: what the kernels are compared with.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "kernels/noise.h"

namespace kernelcheck {

/// A normal and the radius of its pair, by which errors are measured.
struct Exact {
    double value;
    double radius;
};

inline double exact_radius(std::uint32_t word) {
    const double n = word >> 1;
    const double u = (n + 0.5) * 0x1p-31;
    return std::sqrt(-2 * (u < 0.5 ? std::log(u) : std::log1p(-(0x1p31 - n - 0.5) * 0x1p-31)));
}

inline double exact_angle(std::uint32_t word) {
    return 2 * std::numbers::pi * (word * 0x1p-32);
}

inline Exact exact_normal(const omnisync::kernels::NoiseWindow& window, std::int64_t frame, std::int64_t row,
                          std::int64_t column) {
    const std::int64_t element = window.first_element + row * window.columns + column;
    const auto absolute = static_cast<std::uint64_t>(window.first_frame + frame);
    std::array<std::uint64_t, 4> counter{static_cast<std::uint64_t>(element / 4), window.track, absolute & 0xffffffffU,
                                         absolute >> 32};
    std::array<std::uint64_t, 2> key{window.seed & 0xffffffffU, window.seed >> 32};
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = 0xD2511F53U * counter[0];
        const std::uint64_t b = 0xCD9E8D57U * counter[2];
        counter = {(b >> 32) ^ counter[1] ^ key[0], b & 0xffffffffU, (a >> 32) ^ counter[3] ^ key[1], a & 0xffffffffU};
        key = {(key[0] + 0x9E3779B9U) & 0xffffffffU, (key[1] + 0xBB67AE85U) & 0xffffffffU};
    }
    const std::size_t pair = element % 4 / 2 * 2;
    const double radius = exact_radius(static_cast<std::uint32_t>(counter[pair]));
    const double angle = exact_angle(static_cast<std::uint32_t>(counter[pair + 1]));
    return {radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle)), radius};
}

}  // namespace kernelcheck
