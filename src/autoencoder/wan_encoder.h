// The encoder of the Wan2.2 VAE (spec of X-Dub, 2.2): sixteen pixels of each side and four frames become one place.
#pragma once

#include <vector>

#include "autoencoder/causal_layers.h"
#include "autoencoder/rearrange.h"

namespace omnisync::autoencoder {

struct DownStage {
    std::int64_t channels;  ///< what it gives
    Factors by;
    std::vector<ResidualBlock> blocks;
    std::optional<SpaceConv> space;
    std::optional<TimeDown> time;

    DownStage(const weights::Scope& scope, std::int64_t in, std::int64_t out, Factors by);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, Memory& memory) const;
};

struct Encoder {
    CausalConv conv1;
    std::vector<DownStage> stages;  ///< four
    Middle middle;
    Head head;

    /// What it keeps of a video. The widest layers, before frames are joined, run frame by frame.
    struct State {
        Memory frames;
        Memory units;
    };

    /// `base`: channels of the first stage; `latent`: of the latent. `scope` is the file's `encoder`.
    Encoder(const weights::Scope& scope, std::int64_t base, std::int64_t latent);
    /// A video's first frame or the next four, unshuffled: [B, 12, 1 or 4, H / 2, W / 2] -> [B, 2 latent, 1, H / 16,
    /// W / 16]. Without `head_history` the head never sees frames before (spec 2.5).
    [[nodiscard]] at::Tensor operator()(const at::Tensor& unit, State& state, bool head_history) const;
};

}  // namespace omnisync::autoencoder
