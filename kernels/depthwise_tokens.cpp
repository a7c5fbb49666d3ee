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

void depthwise_tokens_cpu(const DepthwiseTokens& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&](auto type) { run_tasks(simd, job, tasks, type); });
}

}  // namespace omnisync::kernels
