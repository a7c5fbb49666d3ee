// The encoder of Whisper (large-v2 in X-Dub): what a sound means, 50 times a second (X-Dub spec, section 4).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "speech/attention.h"
#include "weights/layers.h"

namespace omnisync::speech {

/// The sizes of large-v2 unless said otherwise.
struct WhisperConfig {
    std::int64_t bands = 80;
    std::int64_t positions = 1500;  ///< of a block: 30 s
    std::int64_t width = 1280;
    std::int64_t heads = 20;
    std::int64_t layers = 32;
    std::int64_t mlp = 5120;
};

/// x + attention(norm x), then x + mlp(norm x): [B, n, width] -> the same.
struct WhisperLayer {
    weights::LayerNorm attention_norm;
    SelfAttention attention;
    weights::LayerNorm mlp_norm;
    weights::Linear up;
    weights::Linear down;

    WhisperLayer(const weights::Scope& scope, const WhisperConfig& config);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// Float32 weights of large-v2 take 2.55 GB, half of it in half precision; one block of 30 s needs about 80 MB more.
struct WhisperEncoder {
    WhisperConfig config;
    weights::Conv1d first;
    weights::Conv1d second;
    at::Tensor places;  ///< [positions, width]
    std::vector<WhisperLayer> layers;

    /// `scope`: the whole file (names `model.encoder...`).
    WhisperEncoder(const weights::Scope& scope, const WhisperConfig& config = {});

    /// Before the layers: mel [1, bands, 2 * positions] -> [1, positions, width].
    [[nodiscard]] at::Tensor stem(const at::Tensor& mel) const;
    /// One block: mel [bands, n], 0 < n <= 2 * positions, completed with zeros as the released model was given it
    /// -> [n / 2, width]: the last layer's output, before the final norm.
    [[nodiscard]] at::Tensor block(const at::Tensor& mel) const;
    /// slaney_log_mel() [bands, F] -> [whisper_rows(F), width], 50 rows per second, block by block. Computed with the
    /// weights' type on their device, given back on that of `mel`: 0.92 GB for an hour in float32.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& mel) const;
};

/// Rows that the encoder gives for `frames` mel frames: a half of each block's, rounded down.
[[nodiscard]] std::int64_t whisper_rows(std::int64_t frames, std::int64_t positions = 1500);

/// The name in Hugging Face's file of what OpenAI's calls `name` ("encoder.blocks.0.attn.query.weight"); nullopt for
/// what is not of the encoder.
[[nodiscard]] std::optional<std::string> whisper_from_openai(const std::string& name);

/// The tensors of either kind of file under Hugging Face's names. Of OpenAI's, only the encoder's are left.
[[nodiscard]] std::map<std::string, at::Tensor> whisper_tensors(std::map<std::string, at::Tensor> tensors);

}  // namespace omnisync::speech
