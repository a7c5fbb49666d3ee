// Normalisation over channels and SiLU in one pass over memory: the channel RMS norm of the Wan VAE, and group norm.
// x and out are [batch][channels][pixels] (channels first: NCHW, NCDHW) or [batch][pixels][channels] (channels last).
//
//   v = x + residual (where there is one; rounded to x's type, and written to `sum` if that is given)
//   RMS (groups = 0):  n = v / max(|v|, 1e-12) * sqrt(channels) * gamma, |v| over the channels of the pixel
//   groups > 0:        n = (v - mean) / sqrt(variance + eps) * gamma + beta, both over a group's channels and all
//   pixels out = silu ? n / (1 + e^-n) : n
//
// Arithmetic is float32 (group sums are joined in double precision), with fused multiplications where the CPU has them:
// the variants' bits differ, those of splits into tasks do not. Against double precision, relative to
// max(1, |n|, |beta|) (and for groups, |mean gamma| / deviation): kNormSiluError, and the rounding of out's type.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr double kNormSiluError = 4e-6;

enum class ChannelOrder : std::int32_t { first, last };

struct NormSilu {
    const void* x = nullptr;         ///< densely packed, as all others of its shape
    void* out = nullptr;             ///< may be x
    const void* residual = nullptr;  ///< or none
    void* sum = nullptr;             ///< or none; may be x or residual
    Type type = Type::f32;           ///< of all four
    ChannelOrder order = ChannelOrder::first;
    std::int64_t batch = 0;
    std::int64_t channels = 0;
    std::int64_t pixels = 0;
    const void* gamma = nullptr;  ///< [channels]
    const void* beta = nullptr;   ///< [channels], or none
    Type weight_type = Type::f32;
    std::int64_t groups = 0;  ///< 0: RMS; else a divisor of channels
    float eps = 1e-6F;        ///< of groups
    bool silu = true;
};

[[nodiscard]] std::int64_t norm_silu_tasks(const NormSilu& job);
void norm_silu_cpu(const NormSilu& job, Tasks tasks, Simd simd = best_simd());
/// As noise_cuda. All pointers are the device's. batch * groups is below 2^31.
void norm_silu_cuda(const NormSilu& job, Stream stream);

}  // namespace omnisync::kernels
