// The decoder of the Wan2.2 VAE (spec of X-Dub, 2.3). It comes in two parts, because only the second may run in tiles:
// the first lets every place of a frame see all others.
#pragma once

#include <vector>

#include "autoencoder/causal_layers.h"
#include "autoencoder/rearrange.h"

namespace omnisync::autoencoder {

struct UpStage {
    std::int64_t channels;  ///< what it gives
    Factors by;
    std::vector<ResidualBlock> blocks;
    std::optional<TimeUp> time;
    std::optional<SpaceConv> space;

    UpStage(const weights::Scope& scope, std::int64_t in, std::int64_t out, Factors by);
    /// `first`: `x` begins the video.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory, bool first) const;
};

struct Decoder {
    CausalConv conv1;
    Middle middle;
    std::vector<UpStage> stages;  ///< four; the first two double the frames
    Head head;

    /// What the second part keeps of a video. The widest layers, after all frames are there, run frame by frame.
    struct State {
        Memory units;
        Memory frames;
        bool first = true;

        void to(at::Device device) {
            units.to(device);
            frames.to(device);
        }
    };

    /// `base`: channels of the last stage; `latent`: of the latent. `scope` is the file's `decoder`.
    Decoder(const weights::Scope& scope, std::int64_t base, std::int64_t latent);
    /// One latent frame [B, latent, 1, h, w] -> [B, 4 base, 1, h, w].
    [[nodiscard]] at::Tensor begin(const at::Tensor& x, Memory& memory) const;
    /// What begin() gives, any rectangle of it -> [B, 12, 1 (the video's first) or 4, 8 h, 8 w], to be shuffled.
    [[nodiscard]] at::Tensor finish(const at::Tensor& x, State& state) const;
};

}  // namespace omnisync::autoencoder
