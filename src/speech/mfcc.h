// Mel-frequency cepstral coefficients as SyncNet hears them: those of the package python_speech_features with its
// default settings (window 25 ms, step 10 ms, no window function, 26 triangles on HTK's mel scale, orthonormal cosine
// transform, liftering by 22, the first coefficient replaced by the log of the window's energy).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace omnisync::speech {

inline constexpr int kCoefficients = 13;

/// Windows of `samples`: 1 for up to 400, then one for each 160 begun; beyond the end there is silence.
[[nodiscard]] std::int64_t mfcc_frames(std::int64_t samples);

/// `samples` [n], n > 0, at kRateHz, on the scale of 16-bit numbers -> [mfcc_frames(n), kCoefficients] float32.
[[nodiscard]] at::Tensor mfcc(const at::Tensor& samples);

}  // namespace omnisync::speech
