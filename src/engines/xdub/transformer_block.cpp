#include "engines/xdub/transformer_block.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <array>

#include "diffusion/modulation.h"

namespace omnisync::xdub {
namespace {

// Rows of the modulation, in the file's order.
enum Row : std::int64_t { attention_shift, attention_scale, attention_gate, mlp_shift, mlp_scale, mlp_gate };

constexpr std::array<std::int64_t, 12> kChosenLayers{1, 4, 7, 10, 13, 16, 18, 20, 22, 24, 26, 28};

}  // namespace

bool TransformerConfig::hears(std::int64_t index) const {
    if (audio_layers == AudioLayers::all) return true;
    if (audio_layers == AudioLayers::even) return index % 2 == 0;
    return std::ranges::find(kChosenLayers, index) != kChosenLayers.end();
}

BlockMemory::BlockMemory(const weights::Scope& scope, const TransformerConfig& config, std::int64_t index)
    : text(scope / "cross_attn", config.attention()) {
    if (config.hears(index)) audio.emplace(scope / "audio_attn", config.attention());
}

TransformerBlock::TransformerBlock(const weights::Scope& scope, const TransformerConfig& config, std::int64_t index)
    : epsilon_(config.epsilon),
      modulation_(scope.get("modulation", {1, 6, config.width}, weights::Init::small)),
      self_keys_(scope / "self_attn", config.attention()),
      self_(scope / "self_attn", config.attention()),
      text_norm_(scope / "norm3", config.width, config.epsilon),
      text_(scope / "cross_attn", config.attention()),
      up_(scope / "ffn" / 0, config.width, config.ffn),
      down_(scope / "ffn" / 2, config.ffn, config.width) {
    if (!config.hears(index)) return;
    audio_norm_.emplace(scope / "norm4", config.width, config.epsilon);
    audio_.emplace(scope / "audio_attn", config.attention());
}

at::Tensor TransformerBlock::rows_of(const at::Tensor& time_rows) const {
    return time_rows + modulation_;
}

void TransformerBlock::look(at::Tensor x, const StepInput& step, const diffusion::KeyValue& text, Update update) const {
    const auto [grid, sources, at_rest] = step.layout;
    const std::int64_t skipped = update == Update::targets ? sources : 0;
    const auto kept = [&](const at::Tensor& tokens, std::int64_t dim) {
        return tokens.narrow(dim, skipped, tokens.size(dim) - skipped);
    };
    const at::Tensor rows = rows_of(step.rows);
    const at::Tensor y = diffusion::modulated_norm(x, rows.select(1, attention_shift), rows.select(1, attention_scale),
                                                   at_rest, epsilon_);
    const at::Tensor seen = self_(kept(y, 1), self_keys_(y, step.rotor), kept(step.rotor, 0));
    diffusion::join_(kept(x, 1), seen, rows.select(1, attention_gate), at_rest - skipped);

    at::Tensor target = x.narrow(1, sources, x.size(1) - sources);
    diffusion::join_(target, text_(text_norm_(target), text, {}, step.log_counts));
}

void TransformerBlock::listen(at::Tensor x, const Layout& layout, const at::Tensor& time_rows,
                              const diffusion::KeyValue& audio) const {
    if (audio_) {
        at::Tensor target = x.narrow(1, layout.sources, x.size(1) - layout.sources);
        const at::Tensor frames = (*audio_norm_)(target).view({-1, layout.grid.per_frame(), x.size(2)});
        diffusion::join_(target, (*audio_)(frames, audio).view(target.sizes()));
    }
    const at::Tensor rows = rows_of(time_rows);
    const at::Tensor y =
        diffusion::modulated_norm(x, rows.select(1, mlp_shift), rows.select(1, mlp_scale), layout.at_rest, epsilon_);
    const at::Tensor hidden = up_(y);
    diffusion::gelu_tanh_(hidden);
    diffusion::join_(x, down_(hidden), rows.select(1, mlp_gate), layout.at_rest);
}

}  // namespace omnisync::xdub
