// Noise for tensors. See [Noise design] in kernels/noise.h: values depend on seed, track, frame and element alone.
#pragma once

#include <cstdint>

#include "ops/tensor_fwd.h"

namespace omnisync::ops {

/// Which noise a tensor gets. Its elements at index f of the frame dimension belong to frame `first_frame + f`; an
/// element's number within the frame counts the other dimensions in their order, from `first_element` on.
struct NoiseKey {
    std::uint64_t seed = 0;
    std::uint32_t track = 0;
    std::int64_t first_frame = 0;
    std::int64_t first_element = 0;
};

/// Fills `out` with standard normal noise, in place, on its device and LibTorch's current stream there.
///
/// `out`: float32 or bfloat16, on the CPU or CUDA; dimension `frame_dim` counts frames, so [F, C, H, W] has 0 and
/// [B, C, F, H, W] has 2. The dimensions after it lie contiguous, those before it advance evenly (both hold for windows
/// cut from a contiguous tensor along `frame_dim`). Throws Error(internal) for other tensors.
void fill_noise(const at::Tensor& out, std::int64_t frame_dim, const NoiseKey& key);

/// out = (1 - tau) * source + tau * noise, computed in float32: progressive initialisation (OmniSync paper, eq. 5).
/// `source` has out's shape and device; its type and strides may differ within the limits above; it may be `out`.
/// `tau` in [0, 1]. Throws Error(internal) otherwise.
void start_from_source(const at::Tensor& out, const at::Tensor& source, std::int64_t frame_dim, const NoiseKey& key,
                       float tau);

}  // namespace omnisync::ops
