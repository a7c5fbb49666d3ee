// From sound to mel bands in one pass: window, Fourier transform, power, bands, logarithm; no spectrum is kept.
//
// Frame f has samples[f * hop + i] * window[i], i = 0 .. length - 1, continued with zeros to `fft`. The power of bin k
// is |sum_i x_i exp(-2 pi i k / fft)|^2, k = 0 .. fft / 2. Band b is the sum of filters[b][k] * power[k] over its bins
// ranges[b][0] <= k < ranges[b][1]; without filters, `out` is the power of all bins. With `logarithm`, what is below
// 1e-10 becomes 1e-10 and log10 is taken.
//
// CPU: a mixed-radix transform (4, 5, 2) of half the size, sixteen frames at a time. CUDA: the sum as it stands.
// Against double precision: a power is off by kMelError of the frame's total power sum_k, a band by that through its
// filters and kMelError of itself, a logarithm by that through log10 and kMelLogError. Splits do not change bits;
// variants and CUDA do.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr double kMelError = 4e-7;
inline constexpr double kMelLogError = 2e-6;
inline constexpr int kMostFft = 512;

struct LogMel {
    const float* samples = nullptr;  ///< (frames - 1) * hop + length
    std::int64_t frames = 0;
    std::int64_t hop = 0;
    std::int32_t length = 0;               ///< at most fft
    std::int32_t fft = 0;                  ///< at most kMostFft, even, half of it a product of 2, 4 and 5
    const float* window = nullptr;         ///< [length]
    const float* roots = nullptr;          ///< [fft][2]: cosine and minus sine of 2 pi k / fft; see mel_roots()
    std::int32_t bands = 0;                ///< 0: no filters
    const float* filters = nullptr;        ///< [bands][fft / 2 + 1]
    const std::int32_t* ranges = nullptr;  ///< [bands][2]; see mel_ranges()
    bool logarithm = false;
    float* out = nullptr;  ///< [frames][bands, or fft / 2 + 1]
};

/// Fills roots [fft][2].
void mel_roots(std::int32_t fft, float* roots);
/// Fills ranges [bands][2] with where filters [bands][bins] are not 0.
void mel_ranges(const float* filters, std::int32_t bands, std::int32_t bins, std::int32_t* ranges);

[[nodiscard]] std::int64_t log_mel_tasks(const LogMel& job);
/// Throws Error(internal) for an fft that it has no transform for.
void log_mel_cpu(const LogMel& job, Tasks tasks, Simd simd = best_simd());
/// As noise_cuda. All pointers are the device's.
void log_mel_cuda(const LogMel& job, Stream stream);

}  // namespace omnisync::kernels
