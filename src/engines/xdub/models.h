// X-Dub's networks, loaded and ready, and the memory they may take.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "autoencoder/wan_vae.h"
#include "engines/xdub/lip_sync_transformer.h"
#include "engines/xdub/model_files.h"
#include "engines/xdub/voice_features.h"
#include "omnisync/engine.h"

namespace omnisync::xdub {

/// Where and in which numbers the networks compute.
struct Place {
    at::Device device = at::kCPU;
    at::ScalarType type = at::kFloat;
    std::int64_t memory_bytes = 0;  ///< what the device has free; the transformer's blocks get what the rest leaves
};
/// `options.device` is "cpu", "cuda" or "cuda:N"; `options.device_bytes` its memory. On a GPU numbers are bfloat16, on
/// a CPU float32. Throws Error(unavailable) where LibTorch's CUDA half is not installed.
[[nodiscard]] Place choose_place(const EngineOptions& options);

/// Not to be moved: the networks refer to their weights.
class Models {
public:
    /// Opens everything and compares it with what is needed; numbers are read as they are used. `compat`: the released
    /// encoder, with its mistake. Throws as find_xdub_files() and load_part().
    Models(const XdubFiles& files, const Place& place, bool compat);
    Models(const Models&) = delete;
    Models& operator=(const Models&) = delete;

    [[nodiscard]] const XdubSizes& sizes() const { return files_.sizes; }
    [[nodiscard]] const Place& place() const { return place_; }
    [[nodiscard]] const autoencoder::WanVae& vae() const { return vae_; }
    [[nodiscard]] LipSyncTransformer& transformer() { return transformer_; }
    [[nodiscard]] const TextContext& text() const { return text_; }

    /// What the model hears of a voice; the encoders are in memory for as long as this takes.
    [[nodiscard]] VoiceFeatures hear(const Voice& voice) const;

    /// Paths of the files in use.
    [[nodiscard]] std::vector<std::string> paths() const;
    /// Changes when a file of the folder does, shards and sizes included: names, lengths and times of change.
    [[nodiscard]] std::string identity() const;

private:
    XdubFiles files_;
    Place place_;
    bool compat_;
    weights::Parameters vae_weights_;
    weights::Parameters transformer_weights_;
    autoencoder::WanVae vae_;
    LipSyncTransformer transformer_;
    TextContext text_;
};

}  // namespace omnisync::xdub
