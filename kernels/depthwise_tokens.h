// A depthwise 3 x 3 convolution over tokens that lie on a grid, with its residual and GELU, in one pass:
//
//   out = gelu(x + sum over the nine neighbours of weight * x),  zeros beyond the grid,
//   gelu(v) = v / (1 + exp(-2 sqrt(2 / pi) (v + 0.044715 v^3)))   (the tanh form)
//
// Tokens stay [tokens, channels]: nothing is transposed. An output is a sum in one order, whatever the range of tasks;
// it differs between CPU variants and CUDA (fused multiply-add, or not).
//
// Accuracy: let v be the sum, s the sum of the absolute values of its ten terms, u = 2^-24. out is within
// 12 u s (1 + |v|) + 8 u |gelu(v)| (1 + 2 |v| + |v|^3 / 8) + 1e-37 of its value, plus the rounding of its type.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

struct DepthwiseTokens {
    std::int64_t items = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    std::int64_t channels = 0;
    Type type = Type::f32;          ///< of x and out
    const void* x = nullptr;        ///< [items, rows * columns, channels], contiguous
    const float* weight = nullptr;  ///< [9, channels]: the neighbour above left first, in rows
    void* out = nullptr;            ///< as x; does not overlap it
};

/// One task is one row of one item's grid.
[[nodiscard]] inline std::int64_t depthwise_tokens_tasks(const DepthwiseTokens& job) {
    return job.items * job.rows;
}

void depthwise_tokens_cpu(const DepthwiseTokens& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory is the device's and outlives the work on the stream. Throws Error(unavailable) when
/// this program has no CUDA, Error(internal) when the launch fails.
void depthwise_tokens_cuda(const DepthwiseTokens& job, Stream stream);

}  // namespace omnisync::kernels
