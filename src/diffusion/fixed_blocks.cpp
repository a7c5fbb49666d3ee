#include "diffusion/fixed_blocks.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>

#include <algorithm>

#include "ops/attention.h"
#include "ops/bias_activation.h"
#include "ops/depthwise_tokens.h"
#include "ops/gated_norm.h"
#include "ops/qk_norm_rope.h"

namespace omnisync::diffusion {
namespace {

constexpr double kEpsilon = 1e-5;  // at::layer_norm's own
constexpr std::int64_t kRowsPerBlock = 6, kQkvWidths = 3;

enum Slot : std::size_t { kRows, kCondition, kNormed, kQkv, kSeen, kBranch, kWide, kActivated };

/// Calls act(part of y, part of out) for a few items at a time: what lies between should stay in a core's cache.
template <class Act>
void by_parts(const at::Tensor& y, const at::Tensor& out, std::int64_t widths, const Act& act) {
    constexpr std::int64_t kResident = std::int64_t{160} << 10;  // values
    const std::int64_t batch = y.size(0);
    const std::int64_t values = y.size(1) * y.size(2) * widths;  // of an item
    const std::int64_t most =
        y.is_cpu() ? std::max<std::int64_t>(1, kResident / std::max<std::int64_t>(values, 1)) : batch;
    if (batch <= most) return act(y, out);
    for (std::int64_t first = 0; first < batch; first += most) {
        const std::int64_t count = std::min(most, batch - first);
        act(y.narrow(0, first, count), out.narrow(0, first, count));
    }
}

ops::FixedLinear fixed(const weights::Linear& linear, ops::Rounding rounding) {
    return {linear.weight, linear.bias, rounding};
}

ops::FixedLinear all_modulations(const std::vector<Block>& blocks, const weights::Linear& last) {
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const Block& block : blocks) {
        weights.push_back(block.modulation().weight);
        biases.push_back(block.modulation().bias);
    }
    weights.push_back(last.weight);
    biases.push_back(last.bias);
    return {at::cat(weights), at::cat(biases)};
}

}  // namespace

FixedBlocks::Layer::Layer(const Block& block, ops::Rounding rounding)
    : config(block.config_),
      qkv(fixed(block.qkv_, rounding)),
      out(fixed(block.out_, rounding)),
      up(fixed(block.up_, rounding)),
      down(fixed(block.down_, rounding)) {
    if (block.depthwise_.defined()) depthwise = block.depthwise_.flatten(1).t().to(at::kFloat).contiguous();
}

FixedBlocks::FixedBlocks(const std::vector<Block>& blocks, const weights::Linear& last_modulation,
                         ops::Rounding rounding)
    : modulation_(all_modulations(blocks, last_modulation)),
      rows_(kRowsPerBlock * static_cast<std::int64_t>(blocks.size()) + 2) {
    for (const Block& block : blocks) layers_.emplace_back(block, rounding);
}

const at::Tensor& FixedBlocks::buffer(std::size_t slot, const at::Tensor& x, std::int64_t widths) {
    return workspace_.get(slot, {x.size(0), x.size(1), widths * x.size(2)}, x.options());
}

const at::Tensor& FixedBlocks::modulate(const at::Tensor& condition) {
    const at::Tensor& rows =
        workspace_.get(kRows, {condition.size(0), 1, rows_ * condition.size(2)}, condition.options());
    const at::Tensor& last = workspace_.get(kCondition, condition.sizes(), condition.options());
    // A sampler asks for the same rows again and again, and they cost as much memory traffic as a block. A device would
    // have to be waited for, which a captured step must not.
    if (condition.is_cpu() && condition.sizes() == rows_made_for_ && at::equal(last, condition)) return rows;
    modulation_(condition, rows);
    last.copy_(condition);
    rows_made_for_ = condition.sizes().vec();
    return rows;
}

void FixedBlocks::attend(const Layer& layer, const at::Tensor& y, const std::optional<Rotary>& position,
                         const at::Tensor& out) {
    const at::Tensor& qkv = buffer(kQkv, y, kQkvWidths);
    layer.qkv(y, qkv);
    if (position) {
        const at::Tensor heads = qkv.view({y.size(0), y.size(1), 3, layer.config.heads, -1});
        ops::qk_norm_rope({.q = heads.select(2, 0),
                           .k = heads.select(2, 1),
                           .rotation = kernels::Rotation::halves,
                           .cos = position->cos,
                           .sin = position->sin});
    }
    const at::Tensor& seen = buffer(kSeen, y, 1);
    ops::packed_attention(qkv, layer.config.heads, seen);
    layer.out(seen, out);
}

void FixedBlocks::mlp(const Layer& layer, const at::Tensor& y, const at::Tensor& out) {
    const at::Tensor& wide = buffer(kWide, y, layer.config.mlp_ratio);
    layer.up(y, wide);
    if (!layer.depthwise.defined()) {
        ops::bias_activation_(wide, {}, kernels::Activation::gelu_tanh);
        return layer.down(wide, out);
    }
    const at::Tensor& activated = buffer(kActivated, y, layer.config.mlp_ratio);
    ops::depthwise_tokens(wide, layer.depthwise, layer.config.grid_rows, layer.config.grid_columns, activated);
    layer.down(activated, out);
}

const at::Tensor& FixedBlocks::operator()(const at::Tensor& x, const at::Tensor& condition,
                                          const std::optional<Rotary>& position) {
    const at::Tensor& rows = modulate(condition);
    const auto row = [&](std::size_t index) {
        return rows.narrow(2, static_cast<std::int64_t>(index) * x.size(2), x.size(2));
    };
    const at::Tensor& y = buffer(kNormed, x, 1);
    const at::Tensor& branch = buffer(kBranch, x, 1);
    at::Tensor gate;  // of what the last sub-layer left in `branch`; undefined at first: there is nothing yet
    const auto join = [&](std::size_t shift, std::size_t scale) {
        ops::gated_norm({.x = x,
                         .branch = gate.defined() ? branch : at::Tensor(),
                         .out = y,
                         .epsilon = kEpsilon,
                         .gate = gate,
                         .scale = row(scale),
                         .shift = row(shift)});
    };
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        const std::size_t first = kRowsPerBlock * i;
        join(first, first + 1);
        by_parts(y, branch, kQkvWidths,
                 [&](const at::Tensor& part, const at::Tensor& out) { attend(layers_[i], part, position, out); });
        gate = row(first + 2);
        join(first + 3, first + 4);
        by_parts(y, branch, layers_[i].config.mlp_ratio,
                 [&](const at::Tensor& part, const at::Tensor& out) { mlp(layers_[i], part, out); });
        gate = row(first + 5);
    }
    join(kRowsPerBlock * layers_.size(), kRowsPerBlock * layers_.size() + 1);
    return y;
}

}  // namespace omnisync::diffusion
