// What stands between two sub-layers of a transformer block, in one pass over memory: the last sub-layer's result joins
// the stream, and the stream is normalised and modulated for the next one.
//
//   x := x + gate * branch                              (adaLN-zero: Peebles & Xie 2023, section 3.2)
//   out := norm(x) * gain + bias, then * (1 + scale) + shift
//
// Every part but x may be left out. Arithmetic is float32; x and out are each rounded once, and what is normalised is x
// as it was stored. The mean and the mean square are sums of 16 lanes in a fixed order: CPU variants and splits give
// the same bits. CUDA sums in another order.
//
// Accuracy, with eps the type's rounding (2^-24, 2^-8): x is within eps |x| + 2^-24 (|x| + 2 |gate branch|) of the
// exact sum. out is within eps |out| + kGatedNormError 2^-24 M of the exact value for the x that was stored, M being
// the sum of the magnitudes of the formula's terms, with the mean of |x| in the place of the mean: what is cancelled
// counts in full. Infinities and NaN go through; results in bfloat16 that are subnormal may become zero.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

/// [items, tokens, width]. Elements of a row are adjacent; strides count elements. Without data: absent.
template <class Pointer>
struct TokenRows {
    Pointer data = nullptr;
    std::int64_t item_stride = 0;
    std::int64_t token_stride = 0;
};

enum class Norm : std::int32_t {
    none,   ///< out is x, modulated
    layer,  ///< (x - mean) / sqrt(variance + epsilon)
    rms     ///< x / sqrt(mean of squares + epsilon)
};

struct GatedNorm {
    std::int64_t items = 0;
    std::int64_t tokens = 0;
    std::int64_t width = 0;
    Type type = Type::f32;            ///< of x, branch and out
    Type parameter_type = Type::f32;  ///< of gain, bias, gate, scale and shift
    TokenRows<void*> x{};             ///< written only where there is a branch; rows do not overlap
    TokenRows<const void*> branch{};  ///< absent: x stays as it is
    TokenRows<void*> out{};           ///< absent: only the sum is wanted. May be x itself, or the branch
    Norm norm = Norm::layer;
    float epsilon = 1e-6F;       ///< > 0
    const void* gain = nullptr;  ///< [width], or null: 1
    const void* bias = nullptr;  ///< [width], or null: 0

    /// Rows of modulation: token t of an item reads row t (token_stride 0: one row for the whole item) or, with
    /// `at_rest` >= 0, row 0 when t < at_rest and row 1 otherwise. Absent: gate 1, scale 0, shift 0.
    TokenRows<const void*> gate{};
    TokenRows<const void*> scale{};
    TokenRows<const void*> shift{};
    std::int64_t at_rest = -1;
};

/// In the header's terms, beyond the rounding of out.
inline constexpr double kGatedNormError = 8;

/// One task is one token.
[[nodiscard]] inline std::int64_t gated_norm_tasks(const GatedNorm& job) {
    return job.items * job.tokens;
}

void gated_norm_cpu(const GatedNorm& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory is the device's and outlives the work on the stream. Throws Error(unavailable) when
/// this program has no CUDA, Error(internal) when the launch fails.
void gated_norm_cuda(const GatedNorm& job, Stream stream);

}  // namespace omnisync::kernels
