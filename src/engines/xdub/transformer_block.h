// One block of X-Dub's transformer (spec xdub.md, 1.7).
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "diffusion/attention.h"
#include "diffusion/rotary_3d.h"
#include "engines/xdub/audio_projector.h"
#include "weights/layers.h"

namespace omnisync::xdub {

/// Which blocks attend to the speech; the released file has it in all.
enum class AudioLayers { all, even, chosen };

/// Sizes of the released file.
struct TransformerConfig {
    std::int64_t width = 3072;
    std::int64_t heads = 24;
    std::int64_t blocks = 30;
    std::int64_t ffn = 14336;
    std::int64_t channels = 48;  ///< of the latents, in and out
    std::int64_t text_width = 4096;
    std::int64_t time_waves = 256;
    double epsilon = 1e-6;
    AudioLayers audio_layers = AudioLayers::all;
    AudioProjectorConfig audio;

    [[nodiscard]] diffusion::AttentionShape attention() const { return {width, heads, epsilon}; }
    /// Whether block `index` attends to the speech.
    [[nodiscard]] bool hears(std::int64_t index) const;
};

/// Where the tokens of a sequence are: the source clip's first, then the target's; both lie in `grid`.
struct Layout {
    diffusion::Grid grid;
    std::int64_t sources = 0;  ///< leading tokens that are the source clip's
    std::int64_t at_rest = 0;  ///< leading tokens at time 0: the source clip's and the motion frames'

    [[nodiscard]] Layout targets_only() const { return {grid, 0, at_rest - sources}; }
};

/// What every block of one step is given.
struct StepInput {
    Layout layout;
    at::Tensor rows;        ///< [2, 6, width]: the time's rows for tokens at rest and for the others
    at::Tensor rotor;       ///< of all tokens
    at::Tensor log_counts;  ///< [text rows], or undefined: see diffusion::QuerySide
};

/// The half of a block that is needed once per clip: it turns text and speech into keys and values.
struct BlockMemory {
    diffusion::KeySide text;
    std::optional<diffusion::KeySide> audio;

    BlockMemory(const weights::Scope& scope, const TransformerConfig& config, std::int64_t index);
};

enum class Update { all, targets };

/// The half that is needed at each step. `x` [B, tokens, width] is changed in place.
class TransformerBlock {
public:
    TransformerBlock(const weights::Scope& scope, const TransformerConfig& config, std::int64_t index);

    /// Self-attention of all tokens, then the target's attention to the text. Update::targets leaves the source's
    /// tokens as they are: the last block, after which nobody reads them.
    void look(at::Tensor x, const StepInput& step, const diffusion::KeyValue& text, Update update) const;

    /// The target's attention to the speech, each frame to its own: `audio` [B * frames, ...]; then the MLP of all
    /// tokens. `layout`: of x, which may have been cut down to the target.
    void listen(at::Tensor x, const Layout& layout, const at::Tensor& rows, const diffusion::KeyValue& audio) const;

private:
    [[nodiscard]] at::Tensor rows_of(const at::Tensor& time_rows) const;

    double epsilon_;
    at::Tensor modulation_;
    diffusion::KeySide self_keys_;
    diffusion::QuerySide self_;
    weights::LayerNorm text_norm_;
    diffusion::QuerySide text_;
    std::optional<weights::LayerNorm> audio_norm_;
    std::optional<diffusion::QuerySide> audio_;
    weights::Linear up_;
    weights::Linear down_;
};

}  // namespace omnisync::xdub
