#include "speech/whisper_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "omnisync/error.h"

namespace omnisync::speech {
namespace {

using Renaming = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kOpenAi = "encoder.";
constexpr std::string_view kOpenAiLayer = "encoder.blocks.";
constexpr std::string_view kHuggingFace = "model.encoder.";

constexpr std::array<Renaming, 8> kOfLayers = {{{"attn.query.", "self_attn.q_proj."},
                                                {"attn.key.", "self_attn.k_proj."},
                                                {"attn.value.", "self_attn.v_proj."},
                                                {"attn.out.", "self_attn.out_proj."},
                                                {"attn_ln.", "self_attn_layer_norm."},
                                                {"mlp.0.", "fc1."},
                                                {"mlp.2.", "fc2."},
                                                {"mlp_ln.", "final_layer_norm."}}};
constexpr std::array<Renaming, 4> kOfEncoder = {{{"positional_embedding", "embed_positions.weight"},
                                                 {"conv1.", "conv1."},
                                                 {"conv2.", "conv2."},
                                                 {"ln_post.", "layer_norm."}}};

/// `name` with its beginning exchanged, nullopt where none of the renamings fits.
template <std::size_t n>
std::optional<std::string> renamed(std::string_view name, const std::array<Renaming, n>& renamings) {
    for (const auto& [from, to] : renamings)
        if (name.starts_with(from)) return std::string(to).append(name.substr(from.size()));
    return std::nullopt;
}

weights::Scope encoder_of(const weights::Scope& scope) {
    return scope / "model" / "encoder";
}

}  // namespace

WhisperLayer::WhisperLayer(const weights::Scope& scope, const WhisperConfig& config)
    : attention_norm(scope / "self_attn_layer_norm", config.width),
      attention(scope / "self_attn", config.width, config.heads, weights::Bias::no),
      mlp_norm(scope / "final_layer_norm", config.width),
      up(scope / "fc1", config.width, config.mlp),
      down(scope / "fc2", config.mlp, config.width) {}

at::Tensor WhisperLayer::operator()(const at::Tensor& x) const {
    const at::Tensor heard = x + attention(attention_norm(x));
    return heard + down(at::gelu(up(mlp_norm(heard))));
}

WhisperEncoder::WhisperEncoder(const weights::Scope& scope, const WhisperConfig& config_of)
    : config(config_of),
      first(encoder_of(scope) / "conv1", config.bands, config.width, 3),
      second(encoder_of(scope) / "conv2", config.width, config.width, 3, 2),
      places(encoder_of(scope).get("embed_positions.weight", {config.positions, config.width})) {
    for (std::int64_t i = 0; i < config.layers; ++i) layers.emplace_back(encoder_of(scope) / "layers" / i, config);
    // Every file has it, so it is asked for; X-Dub listens before it.
    (void)weights::LayerNorm(encoder_of(scope) / "layer_norm", config.width);
}

at::Tensor WhisperEncoder::stem(const at::Tensor& mel) const {
    return at::gelu(second(at::gelu(first(mel)))).transpose(1, 2) + places;
}

at::Tensor WhisperEncoder::block(const at::Tensor& mel) const {
    const std::int64_t frames = mel.size(1);
    require(frames > 0 && frames <= 2 * config.positions, ExitCode::internal, "a Whisper block of ", frames, " frames");
    at::Tensor x = stem(at::constant_pad_nd(mel.to(places.options()), {0, 2 * config.positions - frames}).unsqueeze(0));
    for (const WhisperLayer& layer : layers) x = layer(x);
    return x[0].narrow(0, 0, frames / 2);
}

at::Tensor WhisperEncoder::operator()(const at::Tensor& mel) const {
    const std::int64_t frames = mel.size(1);
    const at::Tensor rows =
        at::empty({whisper_rows(frames, config.positions), config.width}, mel.options().dtype(places.scalar_type()));
    const std::int64_t longest = 2 * config.positions;
    for (std::int64_t begin = 0; begin < frames; begin += longest) {
        const std::int64_t count = std::min(longest, frames - begin);
        rows.narrow(0, begin / 2, count / 2).copy_(block(mel.narrow(1, begin, count)));
    }
    return rows;
}

std::int64_t whisper_rows(std::int64_t frames, std::int64_t positions) {
    const std::int64_t longest = 2 * positions;
    return frames / longest * positions + frames % longest / 2;
}

std::optional<std::string> whisper_from_openai(const std::string& name) {
    std::string_view rest = name;
    if (!rest.starts_with(kOpenAi)) return std::nullopt;
    std::string found(kHuggingFace);
    if (!rest.starts_with(kOpenAiLayer)) {
        const auto tail = renamed(rest.substr(kOpenAi.size()), kOfEncoder);
        return tail ? std::optional(found + *tail) : std::nullopt;
    }
    rest.remove_prefix(kOpenAiLayer.size());
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    if (digits == 0 || !rest.substr(digits).starts_with('.')) return std::nullopt;
    const auto tail = renamed(rest.substr(digits + 1), kOfLayers);
    if (!tail) return std::nullopt;
    return found.append("layers.").append(rest.substr(0, digits)).append(".").append(*tail);
}

std::map<std::string, at::Tensor> whisper_tensors(std::map<std::string, at::Tensor> tensors) {
    std::map<std::string, at::Tensor> named;
    for (const auto& [name, tensor] : tensors)
        if (const auto known = whisper_from_openai(name)) named.emplace(*known, tensor);
    return named.empty() ? std::move(tensors) : named;
}

}  // namespace omnisync::speech
