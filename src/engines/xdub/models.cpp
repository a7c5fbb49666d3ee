#include "engines/xdub/models.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "base/machine_memory.h"
#include "omnisync/error.h"
#include "ops/device.h"

namespace omnisync::xdub {
namespace {

// What activations, the VAE and its histories take beside the transformer's blocks at the released sizes, 512 x 512
// and one pass at a time (spec 13: the widest activations are 0.3 GB, the decoder's history 0.9 GB, its weights 1.1).
constexpr std::int64_t kBesideBlocks = 5'000'000'000;

weights::Parameters load(const XdubFiles& files, Part part, const Place& place) {
    return load_part(files, part, place.type, place.device);
}

autoencoder::WanVaeConfig vae_config(const XdubFiles& files, bool compat) {
    autoencoder::WanVaeConfig config = files.sizes.vae;
    config.encoder_head_history = !compat;
    return config;
}

Residency residency(const Place& place) {
    Residency residency;
    residency.block_bytes = std::max<std::int64_t>(0, place.memory_bytes - kBesideBlocks);
    return residency;
}

}  // namespace

Place choose_place(const EngineOptions& options) {
    if (options.device.starts_with("cuda"))
        return {ops::open_device(options.device), at::kBFloat16, options.device_bytes};
    return {at::kCPU, at::kFloat, static_cast<std::int64_t>(memory_for_us().available)};
}

Models::Models(const XdubFiles& files, const Place& place, bool compat)
    : files_(files),
      place_(place),
      compat_(compat),
      vae_weights_(load(files, Part::vae, place)),
      transformer_weights_(load(files, Part::transformer, place)),
      vae_(weights::Scope(vae_weights_), vae_config(files, compat)),
      transformer_(weights::Scope(transformer_weights_), files.sizes.transformer, residency(place)),
      text_(TextContext::empty_prompt(load_empty_prompt(files).to(place.device, place.type))) {}

VoiceFeatures Models::hear(const Voice& voice) const {
    // Their features are read by index on the CPU; float32 everywhere, as released on a CPU.
    const Place exact{place_.device, at::kFloat, 0};
    weights::Parameters whisper_weights = load(files_, Part::whisper, exact);
    weights::Parameters wav2vec2_weights = load(files_, Part::wav2vec2, exact);
    const speech::WhisperEncoder whisper(weights::Scope(whisper_weights), files_.sizes.whisper);
    const speech::Wav2Vec2 wav2vec2(weights::Scope(wav2vec2_weights), files_.sizes.wav2vec2);
    const speech::Wav2Vec2Reach reach = compat_ ? speech::unlimited_reach() : speech::Wav2Vec2Reach{};
    return xdub::hear(voice, whisper, wav2vec2, reach, place_.type);
}

std::vector<std::string> Models::paths() const {
    std::vector<std::string> all;
    for (const Part part : parts_of(files_))
        if (part != Part::text || files_.empty_prompt.empty()) all.push_back(file_of(files_, part));
    return all;
}

std::string Models::identity() const {
    namespace fs = std::filesystem;
    std::set<fs::path> folders{files_.folder};
    for (const std::string& path : paths()) folders.insert(fs::path(path).parent_path());
    std::set<std::string> lines;
    for (const fs::path& folder : folders)
        for (const fs::directory_entry& entry : fs::directory_iterator(folder))
            if (const auto ending = entry.path().extension(); ending == ".safetensors" || ending == ".json" ||
                                                              ending == ".pt" || ending == ".pth" || ending == ".bin")
                lines.insert(concat(entry.path().string(), ' ', entry.file_size(), ' ',
                                    entry.last_write_time().time_since_epoch().count(), '\n'));
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
}

}  // namespace omnisync::xdub
