// A linear layer in float32 with weights packed once: out = x weight^T + bias. For the few rows of a small model on the
// CPU, where the general products of libraries spend a good part of their time on packing and on the bias.
//
// Weights lie in panels of 48 outputs, [panel][in][48], so that a product streams them in order. An output is the sum
// over `in` in one order whatever the range of tasks or the other rows; it differs between CPU variants (fused, or
// not).
//
// Accuracy: within (in + 2) 2^-24 of |bias| plus the sum of |x weight|.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

/// Floats that packed weights take.
[[nodiscard]] std::int64_t packed_linear_size(std::int64_t in, std::int64_t out);

/// `weight` [out, in], contiguous.
void pack_linear(const float* weight, std::int64_t in, std::int64_t out, float* packed);

struct PackedLinear {
    std::int64_t rows = 0;
    std::int64_t in = 0;
    std::int64_t columns = 0;       ///< outputs
    const float* x = nullptr;       ///< [rows, in]; elements of a row are adjacent
    std::int64_t x_stride = 0;      ///< from row to row, in elements
    const float* weight = nullptr;  ///< packed
    const float* bias = nullptr;    ///< [columns], or null: 0
    float* out = nullptr;           ///< [rows, columns]; does not overlap x
    std::int64_t out_stride = 0;
};

/// Number of tasks: blocks of rows times panels.
[[nodiscard]] std::int64_t packed_linear_tasks(const PackedLinear& job);

void packed_linear_cpu(const PackedLinear& job, Tasks tasks, Simd simd = best_simd());

}  // namespace omnisync::kernels
