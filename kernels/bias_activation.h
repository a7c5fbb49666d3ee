// y = activation(x + bias), in one pass, usually in place.
//
//   silu       y = x / (1 + exp(-x))
//   gelu_tanh  y = x / (1 + exp(-2u)),  u = sqrt(2 / pi) (x + 0.044715 x^3): the same as x (1 + tanh u) / 2
//   gelu_erf   y = x (1 + erf(x / sqrt 2)) / 2
//
// On the CPU exp and erf are polynomials of ours (lanes_math.h, bias_activation.cpp), of IEEE operations in a fixed
// order: CPU variants and splits give the same bits. Large x gives x, large -x a zero; -infinity gives NaN or zero.
//
// Accuracy: within eps |y| + kBiasActivationError 2^-24 s + 1e-36 of the exact value, where eps is the type's rounding
// (2^-24, 2^-8) and s is |x| for gelu_erf, else |y| (1 + e) with e the exponent's size, |x| or |2u|. Where e < 1 that
// is a few roundings; far out on the negative side, where y is nearly 0, the exponent's own rounding shows. Results in
// bfloat16 that are subnormal may become zero.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

enum class Activation : std::int32_t { silu, gelu_tanh, gelu_erf };

struct BiasActivation {
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    Type type = Type::f32;  ///< of x and out
    const void* x = nullptr;
    void* out = nullptr;        ///< may be x, with the same stride; else they do not overlap
    std::int64_t x_stride = 0;  ///< from row to row, in elements; elements of a row are adjacent
    std::int64_t out_stride = 0;
    const void* bias = nullptr;  ///< [columns], or null: 0
    Type bias_type = Type::f32;
    Activation activation = Activation::silu;
};

/// In the header's terms, beyond the rounding of the result.
inline constexpr double kBiasActivationError = 8;

[[nodiscard]] std::int64_t bias_activation_tasks(const BiasActivation& job);

void bias_activation_cpu(const BiasActivation& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory is the device's and outlives the work on the stream. Throws Error(unavailable) when
/// this program has no CUDA, Error(internal) when the launch fails.
void bias_activation_cuda(const BiasActivation& job, Stream stream);

}  // namespace omnisync::kernels
