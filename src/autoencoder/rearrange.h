// Reorderings of the Wan2.2 VAE that have no weights (spec of X-Dub, 2.1). All take and give [B, C, T, H, W].
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::autoencoder {

/// How many samples along time and along each side of the picture become one, or the other way round.
struct Factors {
    std::int64_t time = 1;
    std::int64_t space = 1;
};

/// [B, C, T, H, W] -> [B, 4 C, T, H / 2, W / 2]; channel c * 4 + (column offset) * 2 + (row offset). H and W even.
[[nodiscard]] at::Tensor pixel_unshuffle(const at::Tensor& x);
/// Its inverse.
[[nodiscard]] at::Tensor pixel_shuffle(const at::Tensor& x);

/// To `channels`: each is the mean of neighbouring (channel, time, row, column) offsets, channel slowest. Time is
/// filled up to a multiple of `by.time` with zeros at its beginning. `channels` divides C * time * space^2.
[[nodiscard]] at::Tensor average_down(const at::Tensor& x, std::int64_t channels, Factors by);

/// To `channels`: every sample stands `channels * time * space^2 / C` times. `first` says that `x` begins the video:
/// then the first time - 1 frames are dropped, because the first latent frame stands for one frame alone.
[[nodiscard]] at::Tensor duplicate_up(const at::Tensor& x, std::int64_t channels, Factors by, bool first);

}  // namespace omnisync::autoencoder
