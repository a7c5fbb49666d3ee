// A linear layer in 8 bits: out = x weight^T + bias with weights rounded once to whole numbers of -127 .. 127 for each
// output, and rows of x rounded as they come, each by its own largest value. Products and sums are exact integers.
//
// Weights lie in panels of 48 outputs, [panel][in / 4][48][4], `in` filled up with zeros to a multiple of four, as the
// dot products of AVX-512 VNNI (u8 x s8) want them; x is stored as 128 + value, and 128 times the sum of an output's
// weights is taken off at the end. Every CPU variant and split gives the same bits.
//
// Accuracy: let a be a row of x, w one of weights, A and W their largest absolute values. Rounding alone makes an
// output miss x w by at most sum(|a| W / 254 + |w| A / 254 + A W / 64516); the rest is float32 rounding of the result
// and the bias, within 4 2^-24 of their absolute sum.
#pragma once

#include <cstdint>

#include "kernels/types.h"

namespace omnisync::kernels {

/// Whether this CPU has the instructions that make it worth while.
[[nodiscard]] bool has_fast_int8();

/// Which code runs: same bits.
enum class Int8Code { plain, vnni };
[[nodiscard]] inline Int8Code best_int8_code() {
    return has_fast_int8() ? Int8Code::vnni : Int8Code::plain;
}

/// Inputs of a row as it is stored: a multiple of four.
[[nodiscard]] constexpr std::int64_t int8_inputs(std::int64_t in) {
    return (in + 3) / 4 * 4;
}
/// Bytes that packed weights take.
[[nodiscard]] std::int64_t int8_linear_size(std::int64_t in, std::int64_t out);

/// `weight` [out, in], contiguous, finite. `scale` [out] and `offset` [out] get what the product needs.
void pack_int8_linear(const float* weight, std::int64_t in, std::int64_t out, std::int8_t* packed, float* scale,
                      std::int32_t* offset);

struct Int8Linear {
    std::int64_t rows = 0;
    std::int64_t in = 0;
    std::int64_t columns = 0;              ///< outputs
    const float* x = nullptr;              ///< [rows, in], contiguous, finite
    std::uint8_t* rounded = nullptr;       ///< [rows, int8_inputs(in)]: written by the first pass
    float* row_scale = nullptr;            ///< [rows]: likewise
    const std::int8_t* weight = nullptr;   ///< packed
    const float* scale = nullptr;          ///< [columns]
    const std::int32_t* offset = nullptr;  ///< [columns]
    const float* bias = nullptr;           ///< [columns], or null: 0
    float* out = nullptr;                  ///< [rows, columns], contiguous
};

/// First pass: one task is one row.
[[nodiscard]] inline std::int64_t int8_round_tasks(const Int8Linear& job) {
    return job.rows;
}
void int8_round_cpu(const Int8Linear& job, Tasks tasks);

/// Second pass, when the first is done: blocks of rows times panels.
[[nodiscard]] std::int64_t int8_linear_tasks(const Int8Linear& job);
void int8_linear_cpu(const Int8Linear& job, Tasks tasks, Int8Code code = best_int8_code());

}  // namespace omnisync::kernels
