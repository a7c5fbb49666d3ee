// Attention without a mask for short sequences: out = softmax(scale * query key^T) value, for each head of each item.
//
// [Attention design] Blocks of queries against blocks of keys with a running maximum and sum (Milakov & Gimelshein
// 2018), so that no matrix of all logits exists. Queries lie in the lanes of vectors: logits are kept transposed,
// [keys, queries], so maxima and sums go down columns and keys and values are read in place, element by element,
// wherever they lie. Sums have one order whatever the task range; it differs between CPU variants (fused multiply-add,
// or not).
//
// Accuracy: all arithmetic in float32, u = 2^-24. With L the largest sum over i of |scale query_i key_i| of any key, an
// output is within (2 (head_dim + 4) u L + (keys + 40) u) of the mean of |value| under the same weights, plus the
// rounding of its type. tests/kernels/check_short_attention.cpp holds it to that.
//
// There is no CUDA side: LibTorch's flash and cuDNN attention are the ones to beat there (src/ops/attention.h).
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr std::int64_t kAttentionHeadDim = 256;  ///< the largest head_dim

/// Where [batch, tokens, heads, head_dim] lies. A head's elements are adjacent; strides count elements and may be 0 or
/// negative for what is read.
template <class Pointer>
struct HeadsTensor {
    Pointer data = nullptr;
    std::int64_t batch_stride = 0;
    std::int64_t token_stride = 0;
    std::int64_t head_stride = 0;
};

struct ShortAttention {
    std::int64_t batch = 0;
    std::int64_t heads = 0;
    std::int64_t queries = 0;
    std::int64_t keys = 0;  ///< > 0 where there are queries
    std::int64_t head_dim = 0;
    float scale = 1;
    Type type = Type::f32;  ///< of all four
    HeadsTensor<const void*> query, key, value;
    HeadsTensor<void*> out;  ///< overlaps none of the others
};

/// Number of tasks: batch x heads x blocks of queries.
[[nodiscard]] std::int64_t short_attention_tasks(const ShortAttention& job);

/// A NaN or infinite logit makes NaN of its query's output alone.
void short_attention_cpu(const ShortAttention& job, Tasks tasks, Simd simd = best_simd());
}  // namespace omnisync::kernels
