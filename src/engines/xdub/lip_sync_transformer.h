// X-Dub's diffusion transformer: which way the latents of a clip should move so that its mouth speaks the given sound
// (spec xdub.md, 1). What stays the same over the steps of a clip is computed once (11, "Work repeated per step").
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <limits>
#include <vector>

#include "engines/xdub/transformer_block.h"
#include "weights/block_store.h"

namespace omnisync::xdub {

/// The text's encoding with equal rows at its end: `rows` [R, text_width]; the last one stands for `repeats` of them.
/// X-Dub's empty prompt is one row and a row of zeros that is repeated 511 times.
struct TextContext {
    at::Tensor rows;
    std::int64_t repeats = 1;

    /// The empty prompt: `row0` [text_width] and 511 rows of zeros.
    [[nodiscard]] static TextContext empty_prompt(const at::Tensor& row0);
};

/// What one evaluation is told: without source its tokens are those of a clip of zeros, without speech its features
/// are zeros.
struct Pass {
    bool source = true;
    bool speech = true;
};

/// Made once per clip by LipSyncTransformer::prepare(), then used by all steps.
struct Conditioning {
    diffusion::Grid grid;
    at::Tensor source;                         ///< [tokens, width]: the source clip's tokens
    at::Tensor rotor;                          ///< of source and target
    at::Tensor log_counts;                     ///< undefined where every text row stands for itself
    std::vector<diffusion::KeyValue> text;     ///< per block
    std::vector<diffusion::KeyValue> speech;   ///< per block: [frames, ...]; undefined where it does not listen
    std::vector<diffusion::KeyValue> silence;  ///< likewise, [1, ...]: all frames are alike
};

/// How much memory it may take.
struct Residency {
    std::int64_t block_bytes = std::numeric_limits<std::int64_t>::max();  ///< for blocks: see weights::BlockStore
    std::int64_t passes_at_once = 1;  ///< more of them take more memory for activations
};

/// Computes in the type and on the device of its weights. For use by one thread.
class LipSyncTransformer {
public:
    using BetweenBlocks = std::function<void()>;

    /// `scope`: its parameters outlive this object and are asked for blocks again and again, by a thread of its own
    /// during velocities(). Throws Error(bad_data) where tensors are missing or have other shapes; blocks are looked
    /// at when they are used.
    LipSyncTransformer(const weights::Scope& scope, const TransformerConfig& config, const Residency& residency = {});

    /// All tensors that the released layout has, without a byte of them: to compare a file with.
    [[nodiscard]] static weights::Parameters outline(const TransformerConfig& config);

    /// `source` [channels, frames, rows, columns]: latents, rows and columns even; `speech` [frames, tokens, features].
    /// Throws Error(internal) for other shapes.
    [[nodiscard]] Conditioning prepare(const TextContext& text, const at::Tensor& source, const at::Tensor& speech);

    /// Velocities (noise minus data) of `latents` [channels, frames, rows, columns] for each of `passes`: [passes,
    /// channels, frames, rows, columns]. `time` in 0 .. 1000; the first `motion_frames` frames are given ones (time 0).
    /// `between` is called after each block, and may throw to stop.
    [[nodiscard]] at::Tensor velocities(const at::Tensor& latents, double time, std::int64_t motion_frames,
                                        const Conditioning& given, at::ArrayRef<Pass> passes,
                                        const BetweenBlocks& between = {});

    /// The parts of velocities(). Tokens [tokens, width] of latents; time's embedding e [2, width] and its rows
    /// [2, 6, width] for time 0 and `time`.
    [[nodiscard]] at::Tensor tokens_of(const at::Tensor& latents) const;
    struct Time {
        at::Tensor embedding;
        at::Tensor rows;
    };
    [[nodiscard]] Time time_of(double time) const;
    /// [B, target tokens, width] -> [B, tokens, 4 * channels], before they are laid out as latents.
    [[nodiscard]] at::Tensor head(const at::Tensor& x, const at::Tensor& time_embedding, std::int64_t at_rest) const;

    [[nodiscard]] const TransformerConfig& config() const { return config_; }
    [[nodiscard]] const at::TensorOptions options() const { return patch_weight_.options(); }
    /// Blocks that stay in memory.
    [[nodiscard]] std::int64_t resident_blocks() const { return blocks_.residents(); }

private:
    [[nodiscard]] at::Tensor start(const at::Tensor& latents, const Conditioning& given,
                                   const std::vector<bool>& sources) const;
    [[nodiscard]] diffusion::KeyValue speech_of(const Conditioning& given, std::int64_t block,
                                                at::ArrayRef<Pass> passes) const;

    weights::Scope scope_;
    TransformerConfig config_;
    Residency residency_;
    at::Tensor patch_weight_;
    at::Tensor patch_bias_;
    weights::Linear time_in_;
    weights::Linear time_out_;
    weights::Linear time_rows_;
    at::Tensor head_modulation_;
    weights::Linear head_;
    weights::BlockStore<TransformerBlock> blocks_;
};

}  // namespace omnisync::xdub
