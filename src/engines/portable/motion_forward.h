// The motion net's sampler as inference runs it: see diffusion/fixed_blocks.h.
#pragma once

#include "diffusion/fixed_blocks.h"
#include "engines/portable/motion_net.h"
#include "ops/linear.h"
#include "ops/workspace.h"

namespace omnisync::portable {

class MotionForward {
public:
    /// Of a net's parts, whose weights stay as they are from now on.
    struct Parts {
        const MotionConfig& config;
        const weights::Linear& tokens;
        const weights::Linear& speech;
        const weights::Linear& level_in;
        const weights::Linear& level_out;
        const weights::Linear& style;
        const std::vector<diffusion::Block>& blocks;
        const weights::Linear& last_modulation;
        const weights::Linear& out;
    };
    explicit MotionForward(const Parts& parts);

    /// As MotionNet::denoise. The result lies in memory of this object and is valid until the next call, of which there
    /// is one at a time; once warm, no tensor memory is allocated.
    const at::Tensor& operator()(const MotionNet::Noisy& noisy, const at::Tensor& heard, const at::Tensor& expected);

private:
    const at::Tensor& buffer(std::size_t slot, at::IntArrayRef sizes);
    const at::Tensor& condition_row(const at::Tensor& level, const at::Tensor& style);

    MotionConfig config_;
    ops::FixedLinear tokens_;
    ops::FixedLinear speech_;
    weights::Linear level_in_;
    weights::Linear level_out_;
    ops::FixedLinear style_;
    diffusion::FixedBlocks blocks_;
    ops::FixedLinear out_;
    ops::Workspace workspace_;
    at::Tensor level_, when_;                 // the last level, and what it became
    std::optional<diffusion::Rotary> turns_;  // of the last window's length
};

}  // namespace omnisync::portable
