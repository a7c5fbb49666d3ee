// A stack of blocks whose weights stay as they are, as inference runs it: packed weights, the elementwise operations in
// few passes, the modulation of all blocks in one product, and no tensor memory allocated once warm. Computes what
// Block computes, up to the rounding of sums; training keeps to Block.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "diffusion/transformer.h"
#include "ops/linear.h"
#include "ops/workspace.h"

namespace omnisync::diffusion {

class FixedBlocks {
public:
    /// `last_modulation` [width] -> [2 * width]: shift and scale of the normalised result. `rounding` is of the blocks'
    /// products, not of the modulation's.
    FixedBlocks(const std::vector<Block>& blocks, const weights::Linear& last_modulation,
                ops::Rounding rounding = ops::Rounding::as_given);

    /// The stream after all blocks, normalised and modulated: [B, T, width] in memory of this object, valid until the
    /// next call. `x` [B, T, width], contiguous, is used up; `condition` [B, 1, width] as Block has it. One call at a
    /// time. Bits do not depend on the number of threads where FixedLinear's do not.
    const at::Tensor& operator()(const at::Tensor& x, const at::Tensor& condition,
                                 const std::optional<Rotary>& position);

private:
    struct Layer {
        Layer(const Block& block, ops::Rounding rounding);
        BlockConfig config;
        ops::FixedLinear qkv, out, up, down;
        at::Tensor depthwise;  // [9, channels]; undefined without a grid
    };

    const at::Tensor& buffer(std::size_t slot, const at::Tensor& x, std::int64_t widths);
    void attend(const Layer& layer, const at::Tensor& y, const std::optional<Rotary>& position, const at::Tensor& out);
    void mlp(const Layer& layer, const at::Tensor& y, const at::Tensor& out);
    const at::Tensor& modulate(const at::Tensor& condition);

    std::vector<Layer> layers_;
    ops::FixedLinear modulation_;
    std::int64_t rows_;  // of modulation, in all
    ops::Workspace workspace_;
    std::vector<std::int64_t> rows_made_for_;  // the shape of the condition in the workspace
};

}  // namespace omnisync::diffusion
