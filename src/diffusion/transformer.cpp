#include "diffusion/transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>

#include <cmath>

namespace omnisync::diffusion {
namespace {

using weights::Init;

at::Tensor rotate(const at::Tensor& x, const Rotary& by) {  // [B, H, T, D]
    const auto halves = x.chunk(2, -1);
    return at::cat({halves[0] * by.cos - halves[1] * by.sin, halves[0] * by.sin + halves[1] * by.cos}, -1);
}

}  // namespace

Rotary rotary(const at::Tensor& positions, std::int64_t head_dim, double longest) {
    const std::int64_t pairs = head_dim / 2;
    const at::Tensor steps = at::arange(pairs, positions.options()) / static_cast<double>(pairs);
    const at::Tensor angles = positions.unsqueeze(1) * (steps * -std::log(longest)).exp();
    return {at::cos(angles), at::sin(angles)};
}

Block::Block(const weights::Scope& scope, const BlockConfig& config)
    : config_(config),
      modulation_(scope / "modulation", config.width, 6 * config.width, Init::zeros),
      qkv_(scope / "qkv", config.width, 3 * config.width),
      out_(scope / "out", config.width, config.width),
      up_(scope / "up", config.width, config.mlp_ratio * config.width),
      down_(scope / "down", config.mlp_ratio * config.width, config.width) {
    if (config.grid_rows > 0)
        depthwise_ = (scope / "depthwise").get("weight", {config.mlp_ratio * config.width, 1, 3, 3});
}

at::Tensor Block::attend(const at::Tensor& x, const std::optional<Rotary>& position) const {
    const std::int64_t batch = x.size(0);
    const std::int64_t tokens = x.size(1);
    const at::Tensor qkv =
        qkv_(x).view({batch, tokens, 3, config_.heads, config_.width / config_.heads}).permute({2, 0, 3, 1, 4});
    at::Tensor query = qkv[0];
    at::Tensor key = qkv[1];
    if (position) {
        query = rotate(query, *position);
        key = rotate(key, *position);
    }
    const at::Tensor seen = at::scaled_dot_product_attention(query, key, qkv[2]);
    return out_(seen.transpose(1, 2).reshape({batch, tokens, config_.width}));
}

at::Tensor Block::mlp(const at::Tensor& x) const {
    at::Tensor hidden = up_(x);
    if (depthwise_.defined()) {
        const auto shape = hidden.sizes().vec();
        const at::Tensor grid =
            hidden.transpose(1, 2).reshape({shape[0], shape[2], config_.grid_rows, config_.grid_columns});
        const at::Tensor near = at::conv2d(grid, depthwise_, {}, {1, 1}, {1, 1}, {1, 1}, shape[2]);
        hidden = hidden + near.flatten(2).transpose(1, 2);
    }
    return down_(at::gelu(hidden, "tanh"));
}

at::Tensor Block::operator()(const at::Tensor& x, const at::Tensor& condition,
                             const std::optional<Rotary>& position) const {
    const auto m = modulation_(condition).chunk(6, -1);
    const auto modulated = [&](const at::Tensor& value, const at::Tensor& shift, const at::Tensor& scale) {
        return at::layer_norm(value, {config_.width}) * (scale + 1) + shift;
    };
    const at::Tensor y = x + m[2] * attend(modulated(x, m[0], m[1]), position);
    return y + m[5] * mlp(modulated(y, m[3], m[4]));
}

at::Tensor embed_level(const at::Tensor& t, std::int64_t width) {
    const std::int64_t pairs = width / 2;
    const at::Tensor steps = at::arange(pairs, t.options()) / static_cast<double>(pairs);
    const at::Tensor angles = t.unsqueeze(1) * 1000.0 * (steps * -std::log(10'000.0)).exp();
    return at::cat({at::cos(angles), at::sin(angles)}, -1);
}

}  // namespace omnisync::diffusion
