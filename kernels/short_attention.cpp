#include "kernels/short_attention.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdint>
#include <limits>

namespace omnisync::kernels {
namespace {

constexpr std::int64_t kQueries = 48;  // of a task: three AVX-512 vectors
constexpr std::int64_t kKeys = 96;     // of a block: its weights stay in the first-level cache

struct Address {
    std::int64_t batch, head, token;
};
template <class T, class Pointer>
T* address(const HeadsTensor<Pointer>& tensor, const Address& at) {
    return static_cast<T*>(tensor.data) + at.batch * tensor.batch_stride + at.head * tensor.head_stride +
           at.token * tensor.token_stride;
}

/// A block of queries of one head.
struct Piece {
    std::int64_t batch, head, query, count;
};

std::int64_t blocks_per_head(const ShortAttention& job) {
    return (job.queries + kQueries - 1) / kQueries;
}

/// Blocks of whole AVX-512 vectors, as even as they can be.
Piece piece_of(const ShortAttention& job, std::int64_t task) {
    constexpr std::int64_t kVector = 16;
    const std::int64_t blocks = blocks_per_head(job);
    const std::int64_t block = task % blocks;
    const std::int64_t vectors = (job.queries + kVector - 1) / kVector;
    const std::int64_t first = vectors * block / blocks * kVector;
    const std::int64_t end = std::min(vectors * (block + 1) / blocks * kVector, job.queries);
    return {task / blocks / job.heads, task / blocks % job.heads, first, end - first};
}

#define OMNISYNC_BODY "kernels/short_attention.inc"
#include "kernels/each_variant.inc"

}  // namespace

std::int64_t short_attention_tasks(const ShortAttention& job) {
    return job.batch * job.heads * blocks_per_head(job);
}

void short_attention_cpu(const ShortAttention& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&](auto type) { run_tasks(simd, job, tasks, type); });
}

}  // namespace omnisync::kernels
