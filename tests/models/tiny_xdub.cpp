// Writes a folder of X-Dub's models in the released layout, tiny and with random weights: `tiny_xdub FOLDER`.
#include <c10/core/InferenceMode.h>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include "engines/xdub/lip_sync_transformer.h"
#include "engines/xdub/model_files.h"
#include "engines/xdub/model_sizes.h"
#include "weights/safetensors.h"

namespace omnisync::xdub {
namespace {

namespace fs = std::filesystem;
using weights::Parameters;
using weights::Scope;

constexpr const char* kSizes = R"({
  "transformer": {"width": 96, "heads": 3, "blocks": 2, "ffn": 208, "text_width": 40, "time_waves": 32,
                  "audio": {"features": 176, "width": 48, "heads": 3, "layers": 2}},
  "vae": {"encoder_base": 6, "decoder_base": 8},
  "whisper": {"width": 128, "heads": 2, "layers": 2, "mlp": 256},
  "wav2vec2": {"conv_width": 32, "width": 48, "heads": 3, "layers": 2, "mlp": 112},
  "clip": {"frames": 13, "motion": 5},
  "picture_width": 96, "picture_height": 64
})";

using Ask = std::function<void(Parameters&)>;

void write(const fs::path& path, std::uint64_t seed, const Ask& ask) {
    fs::create_directories(path.parent_path());
    Parameters parameters = Parameters::fresh(seed);
    ask(parameters);
    weights::save_safetensors({parameters.tensors(), {}}, path.string(), true);
}

void make(const fs::path& folder) {
    fs::create_directories(folder);
    std::ofstream(folder / "omnisync-xdub.json") << kSizes;
    const XdubSizes sizes = read_sizes((folder / "omnisync-xdub.json").string());
    write(folder / "X-Dub_model.safetensors", 1, [&](Parameters& into) {
        const Parameters outline = LipSyncTransformer::outline(sizes.transformer);
        for (const auto& [name, tensor] : outline.tensors()) (void)into.get(name, tensor.sizes());
    });
    write(folder / "Wan2.2_VAE.safetensors", 2,
          [&](Parameters& into) { (void)autoencoder::WanVae(Scope(into), sizes.vae); });
    write(folder / "whisper" / "model.safetensors", 3,
          [&](Parameters& into) { (void)speech::WhisperEncoder(Scope(into), sizes.whisper); });
    write(folder / "wav2vec2-base-960h" / "model.safetensors", 4,
          [&](Parameters& into) { (void)speech::Wav2Vec2(Scope(into), sizes.wav2vec2); });
    write(folder / kEmptyPromptFile, 5,
          [&](Parameters& into) { (void)into.get(kEmptyPromptTensor, {sizes.transformer.text_width}); });
}

}  // namespace
}  // namespace omnisync::xdub

int main(int count, char** arguments) {
    if (count != 2) {
        std::fputs("usage: tiny_xdub FOLDER\n", stderr);
        return 64;
    }
    try {
        const c10::InferenceMode inference;
        omnisync::xdub::make(arguments[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tiny_xdub: %s\n", error.what());
        return 70;
    }
}
