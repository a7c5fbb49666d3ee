// Queries and keys made ready for attention, in place: normalised by the root of their mean square, times a gain, then
// turned by their positions. One pass instead of a dozen tensor operations; q and k may be parts of one packed tensor.
//
//   x := x / sqrt(mean(x^2) + epsilon) * gain           mean over all heads of a token, or over one head
//   (a, b) := (a cos - b sin, a sin + b cos)            pairs adjacent, or half a head apart (Su et al. 2021)
//
// Arithmetic is float32, rounded once at the end. Sums are of 16 lanes in a fixed order: CPU variants and splits give
// the same bits. CUDA sums in another order.
//
// Accuracy: within eps |x| + kQkNormRopeError * 2^-24 * (|a| + |b|) of the exact value, where eps is the type's
// rounding (2^-24, 2^-8) and a, b are the normalised pair.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

enum class QkNorm : std::int32_t { none, token, head };
enum class Rotation : std::int32_t {
    none,
    pairs,  ///< elements 2j and 2j + 1 of a head
    halves  ///< elements j and j + head_dim / 2
};

/// Queries or keys, [items, tokens, heads, head_dim]; elements of a head are adjacent, strides count elements.
struct HeadRows {
    void* data = nullptr;  ///< null: absent
    std::int64_t item_stride = 0;
    std::int64_t token_stride = 0;
    std::int64_t head_stride = 0;
    const void* gain = nullptr;  ///< [heads, head_dim], adjacent elements; null: 1
};

struct QkNormRope {
    std::int64_t items = 0;
    std::int64_t tokens = 0;
    std::int64_t heads = 0;
    std::int64_t head_dim = 0;  ///< even where there is a rotation
    Type type = Type::f32;      ///< of q and k
    HeadRows q{};
    HeadRows k{};
    QkNorm norm = QkNorm::token;
    float epsilon = 1e-6F;  ///< > 0
    Type gain_type = Type::f32;
    std::int64_t gain_head_stride = 0;  ///< head_dim: a gain for each head; 0: the same for all
    Rotation rotation = Rotation::none;
    /// Of token t, pair j: at t * rotor_stride + j * (2 with pairs, 1 with halves). So with pairs `sin` is `cos` + 1,
    /// as complex numbers lie; the same for all items.
    const float* cos = nullptr;
    const float* sin = nullptr;
    std::int64_t rotor_stride = 0;
};

/// In the header's terms, beyond the rounding of the result.
inline constexpr double kQkNormRopeError = 8;

/// One task is one token, its queries and its keys.
[[nodiscard]] inline std::int64_t qk_norm_rope_tasks(const QkNormRope& job) {
    return job.items * job.tokens;
}

void qk_norm_rope_cpu(const QkNormRope& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory is the device's and outlives the work on the stream. Throws Error(unavailable) when
/// this program has no CUDA, Error(internal) when the launch fails.
void qk_norm_rope_cuda(const QkNormRope& job, Stream stream);

}  // namespace omnisync::kernels
