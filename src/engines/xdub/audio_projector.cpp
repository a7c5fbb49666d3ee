#include "engines/xdub/audio_projector.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include "omnisync/error.h"

namespace omnisync::xdub {

using weights::Bias;
using weights::Init;

AudioProjector::Layer::Layer(const weights::Scope& scope, const AudioProjectorConfig& config)
    : norm1(scope / "norm1", config.width),
      positions((scope / "pos_embed").get("pe", {1, config.longest_window, config.width}, Init::small)),
      q(scope / "attn" / "to_q", config.width, config.width, Init::normal_fan_in, Bias::no),
      k(scope / "attn" / "to_k", config.width, config.width, Init::normal_fan_in, Bias::no),
      v(scope / "attn" / "to_v", config.width, config.width, Init::normal_fan_in, Bias::no),
      out(scope / "attn" / "to_out" / 0, config.width, config.width),
      norm2(scope / "norm2", config.width),
      up(scope / "ff" / "net" / 0 / "proj", config.width, 8 * config.width),
      down(scope / "ff" / "net" / 2, 4 * config.width, config.width) {}

at::Tensor AudioProjector::Layer::operator()(const at::Tensor& x, std::int64_t heads) const {
    const std::int64_t tokens = x.size(1);
    const auto split = [&](const at::Tensor& y) {
        return y.view({y.size(0), tokens, heads, y.size(2) / heads}).transpose(1, 2);
    };
    const at::Tensor u = norm1(x) + positions.narrow(1, 0, tokens);
    const at::Tensor seen = at::scaled_dot_product_attention(split(q(u)), split(k(u)), split(v(u)));
    const at::Tensor y = x + out(seen.transpose(1, 2).reshape(x.sizes()));
    const auto halves = up(norm2(y)).chunk(2, -1);  // value, gate
    return y + down(halves[0] * at::gelu(halves[1]));
}

AudioProjector::AudioProjector(const weights::Scope& scope, const AudioProjectorConfig& config, std::int64_t width_out)
    : config_(config),
      in_(scope / "proj_in", config.features, config.width),
      out_(scope / "proj_out", config.width, width_out) {
    for (std::int64_t i = 0; i < config.layers; ++i) layers_.emplace_back(scope / "layers" / i, config);
}

at::Tensor AudioProjector::operator()(const at::Tensor& features) const {
    require(features.size(1) <= config_.longest_window, ExitCode::internal, "audio projector: ", features.size(1),
            " tokens in a frame, at most ", config_.longest_window, " are possible");
    at::Tensor x = in_(features);
    for (const Layer& layer : layers_) x = layer(x, config_.heads);
    return out_(x);
}

}  // namespace omnisync::xdub
