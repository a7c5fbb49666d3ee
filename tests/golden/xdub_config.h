// Sizes of the tiny transformer, from a golden file's header.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engines/xdub/transformer_block.h"

namespace omnisync::test {

/// `text`: JSON of the entry "config" (of its part "dit" in pipeline_tiny).
inline xdub::TransformerConfig transformer_config(const nlohmann::json& config) {
    xdub::TransformerConfig made;
    made.width = config.at("dim");
    made.heads = config.at("num_heads");
    made.blocks = config.at("num_layers");
    made.ffn = config.at("ffn_dim");
    made.channels = config.at("in_channels");
    made.text_width = config.at("text_dim");
    made.time_waves = config.at("freq_dim");
    made.epsilon = config.at("eps");
    made.audio.features = config.at("audio_in_dim");
    made.audio.width = config.at("audio_dim");
    made.audio.heads = config.at("audio_heads");
    made.audio.layers = config.at("audio_layers");
    return made;
}

}  // namespace omnisync::test
