// Sixteen floats at once, for CPU loops that the vectoriser cannot follow: sums, neighbours that trade places, work in
// place. GCC's vector extension in registers of the variant's width (simd.h), so that one body serves plain, AVX2 and
// AVX-512. Every operation is the IEEE one on each lane, so variants give the same bits where nothing is fused
// (-ffp-contract=off).
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

/// N lanes in registers of W.
template <int N, int W>
struct Lanes {
    static constexpr int kCount = N;
    Lanes<N / 2, W> low, high;
};
template <int W>
struct Lanes<W, W> {
    static constexpr int kCount = W;
    typedef float Floats __attribute__((vector_size(4 * W)));  // g++ 12 takes no dependent size in a using
    typedef std::uint32_t Words __attribute__((vector_size(4 * W)));
    typedef std::uint16_t Halves __attribute__((vector_size(2 * W)));
    Floats v;
};

/// act(registers...) for each register, e.g. lanewise([](auto x, auto y) OMNISYNC_INLINE { return x + y; }, a, b).
template <class Act, int N, int W, class... More>
OMNISYNC_HD Lanes<N, W> lanewise(Act act, const Lanes<N, W>& a, const More&... more) {
    if constexpr (N == W)
        return {act(a.v, more.v...)};
    else
        return {lanewise(act, a.low, more.low...), lanewise(act, a.high, more.high...)};
}

template <class L>
OMNISYNC_HD L all_lanes(float value) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return decltype(x){} + value; }, L{});
}

template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator+(const Lanes<N, W>& a, const Lanes<N, W>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x + y; }, a, b);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator-(const Lanes<N, W>& a, const Lanes<N, W>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x - y; }, a, b);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator*(const Lanes<N, W>& a, const Lanes<N, W>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x * y; }, a, b);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator/(const Lanes<N, W>& a, const Lanes<N, W>& b) {
    return lanewise([](auto x, auto y) OMNISYNC_INLINE { return x / y; }, a, b);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator+(const Lanes<N, W>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x + b; }, a);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator-(const Lanes<N, W>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x - b; }, a);
}
template <int N, int W>
OMNISYNC_HD Lanes<N, W> operator*(const Lanes<N, W>& a, float b) {
    return lanewise([=](auto x) OMNISYNC_INLINE { return x * b; }, a);
}

// ---- memory -------------------------------------------------------------------------------------------------------

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
        return {reinterpret_cast<typename L::Floats>(__builtin_convertvector(bits, typename L::Words) << 16)};
    } else {
        using Half = decltype(L::low);
        return {load<Half>(from), load<Half>(from + Half::kCount)};
    }
}

/// As from_float<bf16>, in the low halves.
template <int W>
OMNISYNC_HD auto bf16_bits(const Lanes<W, W>& lanes) {
    const auto bits = reinterpret_cast<typename Lanes<W, W>::Words>(lanes.v);
    const auto rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    return lanes.v == lanes.v ? rounded : (bits >> 16) | 0x40U;
}

template <int N, int W>
OMNISYNC_HD void store(float* to, const Lanes<N, W>& lanes) {
    if constexpr (N == W) {
        std::memcpy(to, &lanes.v, sizeof lanes.v);
    } else {
        store(to, lanes.low);
        store(to + N / 2, lanes.high);
    }
}
template <int N, int W>
OMNISYNC_HD void store(bf16* to, const Lanes<N, W>& lanes) {
    if constexpr (N == W) {
        const auto bits = __builtin_convertvector(bf16_bits(lanes), typename Lanes<W, W>::Halves);
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
template <class T, int N, int W>
OMNISYNC_HD Lanes<N, W> rounded_to(const Lanes<N, W>& lanes) {
    if constexpr (sizeof(T) == sizeof(float))
        return lanes;
    else if constexpr (N == W)
        return {reinterpret_cast<typename Lanes<W, W>::Floats>(bf16_bits(lanes) << 16)};
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
template <int N, int W>
OMNISYNC_HD float sum(const Lanes<N, W>& lanes) {
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
    auto wide = [&]() OMNISYNC_INLINE { body(Lanes<kLanes, 16>{}); };
    auto middle = [&]() OMNISYNC_INLINE { body(Lanes<kLanes, 8>{}); };
    if (simd == Simd::avx512) return run_avx512(wide);
    if (simd == Simd::avx2) return run_avx2(middle);
#endif
    body(Lanes<kLanes, 4>{});
}

}  // namespace omnisync::kernels
