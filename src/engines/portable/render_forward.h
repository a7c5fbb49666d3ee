// The render net as inference runs it: see diffusion/fixed_blocks.h.
#pragma once

#include "diffusion/fixed_blocks.h"
#include "engines/portable/render_net.h"
#include "ops/linear.h"
#include "ops/workspace.h"

namespace omnisync::portable {

class RenderForward {
public:
    /// Of a net's parts, whose weights stay as they are from now on.
    struct Parts {
        const RenderConfig& config;
        const weights::Linear& patches;
        const at::Tensor& places;
        const weights::Linear& level_in;
        const weights::Linear& level_out;
        const weights::Linear& geometry;
        const std::vector<diffusion::Block>& blocks;
        const weights::Linear& last_modulation;
        const weights::Linear& out;
        ops::Rounding rounding;  ///< of the blocks
    };
    explicit RenderForward(const Parts& parts);

    /// As RenderNet::denoise. The result lies in memory of this object and is valid until the next call, of which there
    /// is one at a time; once warm, no tensor memory is allocated.
    const at::Tensor& operator()(const at::Tensor& noisy, const at::Tensor& level, const RenderCondition& condition,
                                 const at::Tensor& geometry_known);

private:
    const at::Tensor& buffer(std::size_t slot, at::IntArrayRef sizes);
    void take_pictures(const at::Tensor& noisy, const RenderCondition& condition, const at::Tensor& geometry_known,
                       const at::Tensor& tokens) const;
    const at::Tensor& condition_row(const at::Tensor& level, const RenderCondition& condition,
                                    const at::Tensor& geometry_known);

    RenderConfig config_;
    ops::FixedLinear patches_;
    at::Tensor places_;
    weights::Linear level_in_;
    weights::Linear level_out_;
    ops::FixedLinear geometry_;
    diffusion::FixedBlocks blocks_;
    ops::FixedLinear out_;
    ops::Workspace workspace_;
    at::Tensor level_, when_;  // the last level, and what it became
};

}  // namespace omnisync::portable
