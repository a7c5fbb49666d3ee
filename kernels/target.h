// Marks for functions that compile for the CPU, inside CPU variants, and for the device alike.
#pragma once

#ifdef __CUDACC__
#define OMNISYNC_HD __host__ __device__ __forceinline__
#else
#define OMNISYNC_HD [[gnu::always_inline]] inline
#endif

/// After a lambda's parameter list: the body becomes part of the CPU variant that calls it (see simd.h).
#define OMNISYNC_INLINE __attribute__((always_inline))

namespace omnisync::kernels {

/// std::bit_cast, callable on the device too.
template <class To, class From>
OMNISYNC_HD constexpr To bit_cast(From value) {
    return __builtin_bit_cast(To, value);
}

}  // namespace omnisync::kernels
