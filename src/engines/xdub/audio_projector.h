// Speech features of each latent frame become tokens for the transformer (spec xdub.md, 1.8).
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "weights/layers.h"

namespace omnisync::xdub {

struct AudioProjectorConfig {
    std::int64_t features = 2048;  ///< per token: Whisper's 1280, then wav2vec2's 768
    std::int64_t width = 1536;
    std::int64_t heads = 24;
    std::int64_t layers = 4;
    std::int64_t longest_window = 100;  ///< rows of the stored position table
};

/// "audio_embedding" of the released file.
class AudioProjector {
public:
    AudioProjector(const weights::Scope& scope, const AudioProjectorConfig& config, std::int64_t width_out);
    /// [frames, tokens, features] -> [frames, tokens, width_out]; frames do not see one another.
    /// Throws Error(internal) for more tokens than the position table has rows.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& features) const;

private:
    struct Layer {
        weights::LayerNorm norm1;
        at::Tensor positions;  // stored, as it may have been rounded
        weights::Linear q, k, v, out;
        weights::LayerNorm norm2;
        weights::Linear up, down;

        Layer(const weights::Scope& scope, const AudioProjectorConfig& config);
        [[nodiscard]] at::Tensor operator()(const at::Tensor& x, std::int64_t heads) const;
    };

    AudioProjectorConfig config_;
    weights::Linear in_;
    std::vector<Layer> layers_;
    weights::Linear out_;
};

}  // namespace omnisync::xdub
