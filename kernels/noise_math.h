// The arithmetic of [Noise design] (noise.h), one source for the CPU and the device. It must be compiled without
// contraction of a * b + c (g++ -ffp-contract=off, nvcc -fmad=false); kernelcheck fails where it was not.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/target.h"

namespace omnisync::kernels::noise_math {

struct Words {
    std::uint32_t w[4];
};

struct Normals {
    float z[4];
};

/// Philox4x32-10 of Random123: ten rounds of two 32 x 32 -> 64 bit products.
OMNISYNC_HD Words philox(Words counter, std::uint32_t key0, std::uint32_t key1) {
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t a = std::uint64_t{0xD2511F53U} * counter.w[0];
        const std::uint64_t b = std::uint64_t{0xCD9E8D57U} * counter.w[2];
        counter = {static_cast<std::uint32_t>(b >> 32) ^ counter.w[1] ^ key0, static_cast<std::uint32_t>(b),
                   static_cast<std::uint32_t>(a >> 32) ^ counter.w[3] ^ key1, static_cast<std::uint32_t>(a)};
        key0 += 0x9E3779B9U;
        key1 += 0xBB67AE85U;
    }
    return counter;
}

/// IEEE square root, correctly rounded on both sides.
OMNISYNC_HD float square_root(float value) {
#ifdef __CUDA_ARCH__
    return __fsqrt_rn(value);
#else
    return std::sqrt(value);
#endif
}

/// ln((1 + f) * 2^e) for 1 + f in [sqrt(1/2), sqrt(2)) and a whole e.
OMNISYNC_HD float log(float f, float e) {
    // ln(1 + f) = f - f^2 / 2 + f^3 P(f), P interpolated at the Chebyshev nodes of the interval: |error| < 2e-7.
    float p = -0x1.43b246p-4F;
    p = p * f + 0x1.02814ep-3F;
    p = p * f - 0x1.0a33eap-3F;
    p = p * f + 0x1.231ce6p-3F;
    p = p * f - 0x1.54d03ep-3F;
    p = p * f + 0x1.999f14p-3F;
    p = p * f - 0x1.0000cep-2F;
    p = p * f + 0x1.555554p-2F;
    const float ff = f * f;
    const float tail = p * (f * ff) + e * -2.12194440e-4F - 0.5F * ff;
    return (f + tail) + e * 0.693359375F;  // ln 2 in two parts; this product is exact
}

/// sqrt(-2 ln u) for u = (word / 2 + 1/2) / 2^31, in (0, 6.67).
OMNISYNC_HD float radius(std::uint32_t word) {
    const auto n = static_cast<std::int32_t>(word >> 1);
    const float scaled = static_cast<float>(n) + 0.5F;  // u * 2^31

    // u = m * 2^e with m in [sqrt(1/2), sqrt(2)). Near u = 1 the complement keeps the bits that `scaled` has lost.
    const auto bits = bit_cast<std::int32_t>(scaled);
    const std::int32_t k = (bits - 0x3f3504f3) >> 23;
    const float m = bit_cast<float>(bits - k * (1 << 23));
    const float below_one = (static_cast<float>(0x7fffffff - n) + 0.5F) * -0x1p-31F;
    const float f = k == 31 ? below_one : m - 1.0F;
    return square_root(-2.0F * log(f, static_cast<float>(k - 31)));
}

struct Direction {
    float cosine;
    float sine;
};

/// Cosine and sine of 2 pi word / 2^32.
OMNISYNC_HD Direction direction(std::uint32_t word) {
    // The nearest quarter turn, and the rest in quarter turns, in [-1/2, 1/2).
    const std::uint32_t quarter = (word + (1U << 29)) >> 30;
    const float rest = static_cast<float>(static_cast<std::int32_t>(word - (quarter << 30))) * 0x1p-30F;

    // sin(pi/2 x) = x S(x^2), cos(pi/2 x) = 1 + x^2 C(x^2), from Chebyshev nodes: |error| < 5e-9 and < 2e-10.
    const float y = rest * rest;
    float s = -0x1.2d9b40p-8F;
    s = s * y + 0x1.465ec4p-4F;
    s = s * y - 0x1.4abbbap-1F;
    s = s * y + 0x1.921fb6p+0F;
    s = s * rest;
    float c = 0x1.db6492p-11F;
    c = c * y - 0x1.55cb98p-6F;
    c = c * y + 0x1.03c1eap-2F;
    c = c * y - 0x1.3bd3ccp+0F;
    c = c * y + 1.0F;

    const bool swapped = (quarter & 1U) != 0;
    const std::uint32_t cosine_sign = ((quarter + 1U) & 2U) << 30;
    const std::uint32_t sine_sign = (quarter & 2U) << 30;
    return {bit_cast<float>(bit_cast<std::uint32_t>(swapped ? s : c) ^ cosine_sign),
            bit_cast<float>(bit_cast<std::uint32_t>(swapped ? c : s) ^ sine_sign)};
}

/// The four normals of one block of a frame.
OMNISYNC_HD Normals normals(std::uint64_t seed, std::uint32_t track, std::int64_t frame, std::uint32_t block) {
    const auto frame_bits = static_cast<std::uint64_t>(frame);
    const Words words =
        philox({block, track, static_cast<std::uint32_t>(frame_bits), static_cast<std::uint32_t>(frame_bits >> 32)},
               static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32));
    const float r0 = radius(words.w[0]);
    const float r1 = radius(words.w[2]);
    const Direction d0 = direction(words.w[1]);
    const Direction d1 = direction(words.w[3]);
    return {r0 * d0.cosine, r0 * d0.sine, r1 * d1.cosine, r1 * d1.sine};
}

}  // namespace omnisync::kernels::noise_math
