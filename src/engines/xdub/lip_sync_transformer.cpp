#include "engines/xdub/lip_sync_transformer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "diffusion/modulation.h"
#include "omnisync/error.h"

namespace omnisync::xdub {

using diffusion::KeyValue;
using weights::Linear;
using weights::Scope;

namespace {

constexpr std::int64_t kPatch = 2;
constexpr std::int64_t kPromptRows = 512;

struct TextEmbedding {
    Linear in;
    Linear out;

    TextEmbedding(const Scope& scope, const TransformerConfig& config)
        : in(scope / "text_embedding" / 0, config.text_width, config.width),
          out(scope / "text_embedding" / 2, config.width, config.width) {}
    [[nodiscard]] at::Tensor operator()(const at::Tensor& rows) const { return out(at::gelu(in(rows), "tanh")); }
};

/// Nobody asks the parameters for anything once it is gone.
struct Settled {
    weights::BlockStore<TransformerBlock>& blocks;
    ~Settled() { blocks.settle(); }
};

/// What a block that is made for each step takes.
std::int64_t bytes_of_a_block(const TransformerConfig& config, at::ScalarType type) {
    weights::Parameters outline = weights::Parameters::outline();
    const TransformerBlock block(Scope(outline), config, config.audio_layers == AudioLayers::chosen ? 1 : 0);
    return outline.elements() * static_cast<std::int64_t>(c10::elementSize(type));
}

/// [B, rows * columns of frames, (row, column, channel)] -> [B, channels, frames, 2 rows, 2 columns]
at::Tensor latents_of(const at::Tensor& patches, const diffusion::Grid& grid) {
    const std::int64_t channels = patches.size(2) / (kPatch * kPatch);
    return patches.view({-1, grid.frames, grid.rows, grid.columns, kPatch, kPatch, channels})
        .permute({0, 6, 1, 2, 4, 3, 5})
        .reshape({patches.size(0), channels, grid.frames, grid.rows * kPatch, grid.columns * kPatch});
}

}  // namespace

TextContext TextContext::empty_prompt(const at::Tensor& row0) {
    return {at::stack({row0, at::zeros_like(row0)}), kPromptRows - 1};
}

LipSyncTransformer::LipSyncTransformer(const Scope& scope, const TransformerConfig& config, const Residency& residency)
    : scope_(scope),
      config_(config),
      residency_(residency),
      patch_weight_(scope.get("patch_embedding.weight", {config.width, config.channels, 1, kPatch, kPatch})),
      patch_bias_(scope.get("patch_embedding.bias", {config.width}, weights::Init::zeros)),
      time_in_(scope / "time_embedding" / 0, config.time_waves, config.width),
      time_out_(scope / "time_embedding" / 2, config.width, config.width),
      time_rows_(scope / "time_projection" / 1, config.width, 6 * config.width),
      head_modulation_((scope / "head").get("modulation", {1, 2, config.width}, weights::Init::small)),
      head_(scope / "head" / "head", config.width, kPatch * kPatch * config.channels),
      blocks_(
          config.blocks, bytes_of_a_block(config, patch_weight_.scalar_type()), residency.block_bytes,
          [scope, config](std::int64_t index) { return TransformerBlock(scope / "blocks" / index, config, index); }) {}

weights::Parameters LipSyncTransformer::outline(const TransformerConfig& config) {
    weights::Parameters all = weights::Parameters::outline();
    const Scope scope(all);
    const LipSyncTransformer skeleton(scope, config);
    const TextEmbedding text(scope, config);
    const AudioProjector projector(scope / "audio_embedding", config.audio, config.width);
    for (std::int64_t i = 0; i < config.blocks; ++i) {
        const BlockMemory memory(scope / "blocks" / i, config, i);
        const TransformerBlock block(scope / "blocks" / i, config, i);
    }
    return all;
}

Conditioning LipSyncTransformer::prepare(const TextContext& text, const at::Tensor& source, const at::Tensor& speech) {
    require(source.dim() == 4 && source.size(0) == config_.channels && source.size(2) % kPatch == 0 &&
                source.size(3) % kPatch == 0,
            ExitCode::internal, "X-Dub: source latents of shape ", source.sizes());
    require(speech.dim() == 3 && speech.size(0) == source.size(1), ExitCode::internal, "X-Dub: speech of shape ",
            speech.sizes(), " for ", source.size(1), " latent frames");
    Conditioning made;
    made.grid = {source.size(1), source.size(2) / kPatch, source.size(3) / kPatch};
    made.source = tokens_of(source);
    const std::int64_t head_dim = config_.width / config_.heads;
    made.rotor = diffusion::rotor({diffusion::rotary_3d(made.grid, head_dim, made.grid.rows, made.grid.columns),
                                   diffusion::rotary_3d(made.grid, head_dim)},
                                  patch_weight_);
    if (text.repeats > 1) {
        made.log_counts = at::zeros({text.rows.size(0)}, options().dtype(at::kFloat));
        made.log_counts[-1].fill_(std::log(static_cast<double>(text.repeats)));
    }
    const at::Tensor words = TextEmbedding(scope_, config_)(text.rows.to(options())).unsqueeze(0);
    const AudioProjector projector(scope_ / "audio_embedding", config_.audio, config_.width);
    const at::Tensor heard = projector(speech.to(options()));
    const at::Tensor nothing = projector(at::zeros({1, speech.size(1), speech.size(2)}, options()));
    for (std::int64_t i = 0; i < config_.blocks; ++i) {
        const BlockMemory memory(scope_ / "blocks" / i, config_, i);
        made.text.push_back(memory.text(words));
        made.speech.push_back(memory.audio ? (*memory.audio)(heard) : KeyValue{});
        made.silence.push_back(memory.audio ? (*memory.audio)(nothing) : KeyValue{});
    }
    return made;
}

at::Tensor LipSyncTransformer::tokens_of(const at::Tensor& latents) const {
    const std::int64_t channels = latents.size(0);
    const std::int64_t rows = latents.size(2) / kPatch;
    const std::int64_t columns = latents.size(3) / kPatch;
    const at::Tensor patches = latents.to(options())
                                   .view({channels, latents.size(1), rows, kPatch, columns, kPatch})
                                   .permute({1, 2, 4, 0, 3, 5})
                                   .reshape({-1, channels * kPatch * kPatch});
    return at::linear(patches, patch_weight_.flatten(1), patch_bias_);
}

LipSyncTransformer::Time LipSyncTransformer::time_of(double time) const {
    const at::Tensor waves = diffusion::time_waves({0.0, time}, config_.time_waves).to(options());
    const at::Tensor embedding = time_out_(at::silu(time_in_(waves)));
    return {embedding, time_rows_(at::silu(embedding)).view({2, 6, config_.width})};
}

at::Tensor LipSyncTransformer::head(const at::Tensor& x, const at::Tensor& time_embedding, std::int64_t at_rest) const {
    return head_(diffusion::modulated_norm(x, time_embedding + head_modulation_[0][0],
                                           time_embedding + head_modulation_[0][1], at_rest, config_.epsilon));
}

/// [sources, source tokens and target tokens, width]
at::Tensor LipSyncTransformer::start(const at::Tensor& latents, const Conditioning& given,
                                     const std::vector<bool>& sources) const {
    const at::Tensor target = tokens_of(latents);
    std::vector<at::Tensor> streams;
    for (const bool with_source : sources)
        streams.push_back(at::cat({with_source ? given.source : patch_bias_.expand_as(given.source), target}));
    return at::stack(streams);
}

KeyValue LipSyncTransformer::speech_of(const Conditioning& given, std::int64_t block, at::ArrayRef<Pass> passes) const {
    if (!config_.hears(block)) return {};
    const auto index = static_cast<std::size_t>(block);
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    for (const Pass& pass : passes) {
        const KeyValue one = pass.speech ? given.speech[index] : given.silence[index].expand(given.grid.frames);
        keys.push_back(one.key);
        values.push_back(one.value);
    }
    return passes.size() == 1 ? KeyValue{keys[0], values[0]} : KeyValue{at::cat(keys), at::cat(values)};
}

at::Tensor LipSyncTransformer::velocities(const at::Tensor& latents, double time, std::int64_t motion_frames,
                                          const Conditioning& given, at::ArrayRef<Pass> passes,
                                          const BetweenBlocks& between) {
    // Until the first block that listens, passes with the same source are one and the same stream.
    std::vector<bool> sources;
    std::vector<std::int64_t> stream_of;
    for (const Pass& pass : passes) {
        const auto found = std::ranges::find(sources, pass.source);
        stream_of.push_back(found - sources.begin());
        if (found == sources.end()) sources.push_back(pass.source);
    }
    at::Tensor x = start(latents, given, sources);
    const std::int64_t tokens = given.grid.tokens();
    const Time at_time = time_of(time);
    StepInput step{{given.grid, tokens, tokens + motion_frames * given.grid.per_frame()},
                   at_time.rows,
                   given.rotor,
                   given.log_counts};
    const Settled settled{blocks_};
    bool split = false;
    const auto part_ways = [&] {
        if (!split && sources.size() != passes.size())
            x = x.index_select(0, at::tensor(stream_of, x.options().dtype(at::kLong)));
        split = true;
    };
    const auto for_some = [&](const auto& act) {
        for (std::int64_t first = 0; first < x.size(0); first += residency_.passes_at_once) {
            const std::int64_t count = std::min(residency_.passes_at_once, x.size(0) - first);
            act(x.narrow(0, first, count), static_cast<std::size_t>(first), static_cast<std::size_t>(count));
        }
    };
    for (std::int64_t i = 0; i < config_.blocks; ++i) {
        const TransformerBlock& block = blocks_.use(i);
        const bool last = i + 1 == config_.blocks;
        for_some([&](const at::Tensor& some, std::size_t, std::size_t) {
            block.look(some, step, given.text[static_cast<std::size_t>(i)], last ? Update::targets : Update::all);
        });
        if (last) {
            x = x.narrow(1, tokens, tokens);
            step.layout = step.layout.targets_only();
        }
        if (last || config_.hears(i)) part_ways();
        for_some([&](const at::Tensor& some, std::size_t first, std::size_t count) {
            block.listen(some, step.layout, step.rows, speech_of(given, i, passes.slice(first, count)));
        });
        if (between) between();
    }
    return latents_of(head(x, at_time.embedding, step.layout.at_rest), given.grid);
}

}  // namespace omnisync::xdub
