// CPU variants of one body of code: compiled for plain x86-64 (or any other CPU), AVX2 and AVX-512, chosen at run time.
//
// The body is ordinary C++ that the compiler vectorises. It and all it calls must be always_inline (OMNISYNC_HD,
// OMNISYNC_INLINE), so that it is compiled with each variant's instructions and nothing of a variant leaks elsewhere.
#pragma once

#include "kernels/target.h"

namespace omnisync::kernels {

/// In ascending order: what runs one runs those before it.
enum class Simd { plain, avx2, avx512, avx512_bf16 };

[[nodiscard]] constexpr const char* name(Simd simd) {
    constexpr const char* kNames[] = {"plain", "avx2", "avx512", "avx512_bf16"};
    return kNames[static_cast<int>(simd)];
}

/// The widest variant that this CPU and its system run.
[[nodiscard]] inline Simd best_simd() {
#ifdef __x86_64__
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl"))
        return __builtin_cpu_supports("avx512bf16") ? Simd::avx512_bf16 : Simd::avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return Simd::avx2;
#endif
    return Simd::plain;
}

#ifdef __x86_64__
template <class Body>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512")]] void run_avx512(Body& body) {
    body();
}

template <class Body>
[[gnu::target("avx2,fma")]] void run_avx2(Body& body) {
    body();
}
#endif

/// Runs `body()` compiled for `simd`: `run(simd, [&]() OMNISYNC_INLINE { ... });`.
template <class Body>
void run([[maybe_unused]] Simd simd, Body body) {
#ifdef __x86_64__
    if (simd >= Simd::avx512) return run_avx512(body);
    if (simd == Simd::avx2) return run_avx2(body);
#endif
    body();
}

}  // namespace omnisync::kernels
