// Sixteen floats at once, for CPU loops that the vectoriser cannot follow: sums, neighbours that trade places, work in
// place. GCC's vector extension in registers of the variant's width (simd.h), so that one body serves plain, AVX2 and
// AVX-512. Every operation is the IEEE one on each lane, so variants give the same bits where only multiply_add() is
// fused (-ffp-contract=off).
//
//   run_lanes(simd, [&]<class L>(L) OMNISYNC_INLINE { ... store(out, load<L>(in) * 2.0F); ... });
#pragma once

#include <cstdint>
#include <cstring>

#include "kernels/simd.h"
#include "kernels/types.h"

// Functions that pass wide vectors differ between instruction sets; here all are inlined, so that none is called.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace omnisync::kernels {

inline constexpr int kLanes = 16;

/// N lanes in registers of W. B: the CPU itself rounds to bfloat16.
template <int N, int W, bool B = false>
struct Lanes {
    static constexpr int kCount = N;
    Lanes<N / 2, W, B> low, high;
};
template <int W, bool B>
struct Lanes<W, W, B> {
    static constexpr int kCount = W;
    typedef float Floats __attribute__((vector_size(4 * W)));  // g++ 12 takes no dependent size in a using
    typedef std::uint32_t Words __attribute__((vector_size(4 * W)));
    typedef std::uint16_t Halves __attribute__((vector_size(2 * W)));
    Floats v;
};

/// act(registers...) for each register, e.g. lanewise([](auto x, auto y) OMNISYNC_INLINE { return x + y; }, a, b).
template <class Act, int N, int W, bool B, class... More>
OMNISYNC_HD Lanes<N, W, B> lanewise(Act act, const Lanes<N, W, B>& a, const More&... more) {
    if constexpr (N == W)
        return {act(a.v, more.v...)};
    else
        return {lanewise(act, a.low, more.low...), lanewise(act, a.high, more.high...)};
}

template <class L>
OMNISYNC_HD L all_lanes(float value) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return decltype(x){} + value; }, L{});
}

template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator+(const Lanes<N, W, B>& a, const Lanes<N, W, B>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x + y; }, a, b);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator-(const Lanes<N, W, B>& a, const Lanes<N, W, B>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x - y; }, a, b);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator*(const Lanes<N, W, B>& a, const Lanes<N, W, B>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x * y; }, a, b);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator/(const Lanes<N, W, B>& a, const Lanes<N, W, B>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x / y; }, a, b);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator+(const Lanes<N, W, B>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x + b; }, a);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator-(const Lanes<N, W, B>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x - b; }, a);
}
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> operator*(const Lanes<N, W, B>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x * b; }, a);
}

/// a b + c, rounded once, on a CPU without such an instruction: the product is exact in double precision, and a sum
/// that keeps "there was more" in its last bit rounds to float as the exact one does (Boldo and Melquiond 2008, round
/// to odd).
OMNISYNC_HD float multiply_add_in_doubles(float a, float b, float c) {
    const double product = static_cast<double>(a) * static_cast<double>(b);
    const double sum = product + static_cast<double>(c);
    const auto bits = bit_cast<std::int64_t>(sum);
    if ((bits & 0xfffffff) != 0) return static_cast<float>(sum);  // not half-way between floats: no rounding twice
    const double part = sum - product;
    const double lost = (product - (sum - part)) + (static_cast<double>(c) - part);
    // From an even inexact sum a step away from zero where what was lost has the sum's sign, else towards it.
    const std::int64_t outward = 1 - 2 * static_cast<std::int64_t>((lost > 0) != (sum > 0));
    const std::int64_t inexact = static_cast<std::int64_t>(lost > 0) | static_cast<std::int64_t>(lost < 0);
    return static_cast<float>(bit_cast<double>(bits + outward * (inexact & ~bits)));
}

/// a b + c, rounded once.
template <int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> multiply_add(const Lanes<N, W, B>& a, const Lanes<N, W, B>& b, const Lanes<N, W, B>& c) {
    return lanewise(
        [](auto x, auto y, auto z) OMNISYNC_INLINE {
            if constexpr (W == 4)
                for (int i = 0; i < W; ++i) x[i] = multiply_add_in_doubles(x[i], y[i], z[i]);
            else
                asm("vfmadd213ps %2, %1, %0" : "+v"(x) : "v"(y), "v"(z));  // as in widen(), below
            return x;
        },
        a, b, c);
}

// ---- memory -------------------------------------------------------------------------------------------------------

// g++ 12 converts in halves what one AVX-512 instruction does. Assembly, for it does not inline intrinsics into
// functions for other CPUs.

template <class Words, class Halves>
OMNISYNC_HD Words widen(const Halves& halves) {
    if constexpr (sizeof(Words) == 64) {
        Words words;
        asm("vpmovzxwd %1, %0" : "=v"(words) : "vm"(halves));
        return words;
    } else {
        return __builtin_convertvector(halves, Words);
    }
}
template <class Halves, class Words>
OMNISYNC_HD Halves narrow(const Words& words) {
    if constexpr (sizeof(Words) == 64) {
        Halves halves;
        asm("vpmovdw %1, %0" : "=v"(halves) : "v"(words));
        return halves;
    } else {
        return __builtin_convertvector(words, Halves);
    }
}

template <class L>
OMNISYNC_HD L load(const float* from) {
    if constexpr (requires { L::v; }) {
        L lanes;
        std::memcpy(&lanes.v, from, sizeof lanes.v);
        return lanes;
    } else {
        using Half = decltype(L::low);
        return {load<Half>(from), load<Half>(from + Half::kCount)};
    }
}
template <class L>
OMNISYNC_HD L load(const bf16* from) {
    if constexpr (requires { L::v; }) {
        typename L::Halves bits;
        std::memcpy(&bits, from, sizeof bits);
        return {reinterpret_cast<typename L::Floats>(widen<typename L::Words>(bits) << 16)};
    } else {
        using Half = decltype(L::low);
        return {load<Half>(from), load<Half>(from + Half::kCount)};
    }
}

/// As from_float<bf16>, but subnormal numbers become zero, as they do where the CPU rounds.
template <int W, bool B>
OMNISYNC_HD auto to_bf16(const Lanes<W, W, B>& lanes) {
    using Halves = typename Lanes<W, W, B>::Halves;
    if constexpr (B) {
        Halves bits;
        asm("vcvtneps2bf16 %1, %0" : "=v"(bits) : "v"(lanes.v));
        return bits;
    } else {
        const auto word = reinterpret_cast<typename Lanes<W, W, B>::Words>(lanes.v);
        const auto rounded = (word + 0x7fffU + ((word >> 16) & 1U)) >> 16;
        const auto normal = (word & 0x7f800000U) == 0U ? (word >> 16) & 0x8000U : rounded;
        return narrow<Halves>(lanes.v == lanes.v ? normal : (word >> 16) | 0x40U);
    }
}

template <int N, int W, bool B>
OMNISYNC_HD void store(float* to, const Lanes<N, W, B>& lanes) {
    if constexpr (N == W) {
        std::memcpy(to, &lanes.v, sizeof lanes.v);
    } else {
        store(to, lanes.low);
        store(to + N / 2, lanes.high);
    }
}
template <int N, int W, bool B>
OMNISYNC_HD void store(bf16* to, const Lanes<N, W, B>& lanes) {
    if constexpr (N == W) {
        const auto bits = to_bf16(lanes);
        std::memcpy(to, &bits, sizeof bits);
    } else {
        store(to, lanes.low);
        store(to + N / 2, lanes.high);
    }
}

/// The first `count` (0..16) of them; the other lanes are 0, or are not written.
template <class L, class T>
OMNISYNC_HD L load(const T* from, int count) {
    if (count >= kLanes) return load<L>(from);
    T some[kLanes] = {};
    for (int i = 0; i < count; ++i) some[i] = from[i];
    return load<L>(some);
}
template <class T, class L>
OMNISYNC_HD void store(T* to, const L& lanes, int count) {
    if (count >= kLanes) return store(to, lanes);
    T some[kLanes];
    store(some, lanes);
    for (int i = 0; i < count; ++i) to[i] = some[i];
}

/// What storing as T and loading again gives.
template <class T, int N, int W, bool B>
OMNISYNC_HD Lanes<N, W, B> rounded_to(const Lanes<N, W, B>& lanes) {
    if constexpr (sizeof(T) == sizeof(float))
        return lanes;
    else if constexpr (N == W)
        return {reinterpret_cast<typename Lanes<W, W, B>::Floats>(widen<typename Lanes<W, W, B>::Words>(to_bf16(lanes))
                                                                  << 16)};
    else
        return {rounded_to<T>(lanes.low), rounded_to<T>(lanes.high)};
}

/// Lanes from `count` on become 0.
template <class L>
OMNISYNC_HD L first_lanes(const L& lanes, int count) {
    if (count >= kLanes) return lanes;
    float some[kLanes];
    store(some, lanes);
    for (int i = 0; i < kLanes; ++i) some[i] = i < count ? some[i] : 0.0F;
    return load<L>(some);
}

// ---- loops and sums -----------------------------------------------------------------------------------------------

/// Calls body(first, count) for whole groups of lanes of [0, size), then for what is left.
template <class Body>
OMNISYNC_HD void for_lanes(std::int64_t size, Body body) {
    std::int64_t first = 0;
    for (; first + kLanes <= size; first += kLanes) body(first, kLanes);
    if (first < size) body(first, static_cast<int>(size - first));
}

/// In a fixed order: halves onto each other.
template <int N, int W, bool B>
OMNISYNC_HD float sum(const Lanes<N, W, B>& lanes) {
    if constexpr (N > W) {
        return sum(lanes.low + lanes.high);
    } else {
        float some[N];
        store(some, lanes);
        for (int half = N / 2; half > 0; half /= 2)
            for (int i = 0; i < half; ++i) some[i] += some[i + half];
        return some[0];
    }
}

/// The sum of body(first, count) over [0, size), as for_lanes() calls it; lanes beyond `count` must be 0. In blocks: a
/// long sum loses little more than a short one.
template <class L, class Body>
OMNISYNC_HD float sum_of(std::int64_t size, Body body) {
    constexpr std::int64_t kBlock = 64 * kLanes;
    L total{};
    for (std::int64_t begin = 0; begin < size; begin += kBlock) {
        L part{};
        for_lanes(size - begin < kBlock ? size - begin : kBlock,
                  [&](std::int64_t first, int count) OMNISYNC_INLINE { part = part + body(begin + first, count); });
        total = total + part;
    }
    return sum(total);
}

/// Runs body(L{}) compiled for `simd`, L being its sixteen lanes.
template <class Body>
void run_lanes(Simd simd, Body body) {
#ifdef __x86_64__
    auto wide_bf16 = [&]() OMNISYNC_INLINE { body(Lanes<kLanes, 16, true>{}); };
    auto wide = [&]() OMNISYNC_INLINE { body(Lanes<kLanes, 16>{}); };
    auto middle = [&]() OMNISYNC_INLINE { body(Lanes<kLanes, 8>{}); };
    if (simd == Simd::avx512_bf16) return run_avx512(wide_bf16);
    if (simd == Simd::avx512) return run_avx512(wide);
    if (simd == Simd::avx2) return run_avx2(middle);
#endif
    body(Lanes<kLanes, 4>{});
}

}  // namespace omnisync::kernels
