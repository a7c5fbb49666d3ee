#include "kernels/depthwise_tokens.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <cstdint>

namespace omnisync::kernels {
namespace {

#define OMNISYNC_BODY "kernels/depthwise_tokens.inc"
#include "kernels/each_variant.inc"

}  // namespace

void depthwise_tokens_cpu(const DepthwiseTokens& job, Tasks tasks, [[maybe_unused]] Simd simd) {
    with_type(job.type, [&]<class T>(T) {
#ifdef __x86_64__
        if (simd >= Simd::avx512) return avx512::run_tasks<T>(job, tasks);
        if (simd == Simd::avx2) return avx2::run_tasks<T>(job, tasks);
#endif
        plain::run_tasks<T>(job, tasks);
    });
}

}  // namespace omnisync::kernels
