// Mel bands of sound, for tensors: see kernels/log_mel.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace omnisync::ops {

/// One way to listen: window, size of the transform, bands.
class MelBands {
public:
    /// `window` [length] float32; `fft` at least that; `filters` [bands, fft / 2 + 1] float32, or undefined for the
    /// power of all bins; `logarithm`: log10 of what is at least 1e-10. Throws Error(internal) where they do not fit.
    MelBands(const at::Tensor& window, std::int64_t fft, const at::Tensor& filters, bool logarithm);

    /// Of all whole windows of `samples` [n] (float32, CPU or CUDA), `hop` apart: [frames, bands]. LibTorch's threads.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& samples, std::int64_t hop) const;

private:
    at::Tensor window_;
    at::Tensor roots_;
    at::Tensor filters_;  // undefined: none
    at::Tensor ranges_;
    std::int64_t fft_;
    bool logarithm_;
};

}  // namespace omnisync::ops
