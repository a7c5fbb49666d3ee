// The block of our small diffusion transformers: attention and a gated MLP, each modulated by what the noise level and
// the condition say (adaLN-zero; Peebles & Xie 2023, section 3.2). As tensor operations, for training; inference runs
// fixed_blocks.h.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "weights/layers.h"

namespace omnisync::diffusion {

struct BlockConfig {
    std::int64_t width = 192;
    std::int64_t heads = 6;
    std::int64_t mlp_ratio = 4;
    std::int64_t grid_rows = 0;  ///< > 0: tokens form a grid, and a depthwise 3x3 convolution looks at neighbours
    std::int64_t grid_columns = 0;
};

/// Rotary position angles: cos and sin, each [T, head_dim / 2].
struct Rotary {
    at::Tensor cos;
    at::Tensor sin;
};
/// `positions` [T], in tokens; wavelengths from 2 pi up to 2 pi * `longest`.
[[nodiscard]] Rotary rotary(const at::Tensor& positions, std::int64_t head_dim, double longest);

class Block {
public:
    Block(const weights::Scope& scope, const BlockConfig& config);
    /// `x` [B, T, width]; `condition` [B, 1 or T, width], already activated; `position`: absent where the tokens carry
    /// learned positions.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& condition,
                                        const std::optional<Rotary>& position) const;
    [[nodiscard]] const weights::Linear& modulation() const { return modulation_; }

private:
    friend class FixedBlocks;
    [[nodiscard]] at::Tensor attend(const at::Tensor& x, const std::optional<Rotary>& position) const;
    [[nodiscard]] at::Tensor mlp(const at::Tensor& x) const;

    BlockConfig config_;
    weights::Linear modulation_;
    weights::Linear qkv_;
    weights::Linear out_;
    weights::Linear up_;
    weights::Linear down_;
    at::Tensor depthwise_;  // undefined without a grid
};

/// Sinusoidal embedding of noise levels t [B] in [0, 1]: [B, width].
[[nodiscard]] at::Tensor embed_level(const at::Tensor& t, std::int64_t width);

}  // namespace omnisync::diffusion
