#include "engines/xdub/memory_needs.h"

#include "engines/xdub/lip_sync_transformer.h"

namespace omnisync::xdub {
namespace {

using weights::Parameters;
using weights::Scope;

template <class Model, class Config>
std::uint64_t values_of(const Config& config) {
    Parameters outline = Parameters::outline();
    (void)Model(Scope(outline), config);
    return static_cast<std::uint64_t>(outline.elements());
}

std::uint64_t hearing(const XdubSizes& sizes) {
    const auto rows = [](std::int64_t count, std::int64_t width, std::int64_t mlp) {
        return static_cast<std::uint64_t>(count * (8 * width + 2 * mlp));
    };
    const speech::Wav2Vec2Reach reach;
    return rows(sizes.whisper.positions, sizes.whisper.width, sizes.whisper.mlp) +
           rows(reach.longest, sizes.wav2vec2.width, sizes.wav2vec2.mlp);
}

/// The empty prompt passes the encoder one matrix at a time; the largest is the gated layer's.
std::uint64_t largest_of_text(const text::Umt5Config& config) {
    return static_cast<std::uint64_t>(config.width * std::max(config.mlp, config.attention_width));
}

/// Of the transformer, what all blocks share, and two blocks: the one at work and the next.
std::uint64_t least_of_transformer(const TransformerConfig& config) {
    const auto values = [](TransformerConfig some, std::int64_t blocks) {
        some.blocks = blocks;
        return static_cast<std::uint64_t>(LipSyncTransformer::outline(some).elements());
    };
    return values(config, std::min<std::int64_t>(2, config.blocks));
}

std::uint64_t sampling(const XdubSizes& sizes) {
    const TransformerConfig& model = sizes.transformer;
    const std::int64_t cells =
        sizes.picture_width / autoencoder::kSpaceFactor / 2 * (sizes.picture_height / autoencoder::kSpaceFactor / 2);
    const std::int64_t tokens = 2 * sizes.clip.latents() * cells;
    // Tokens, their norm, queries, keys, values, the attention's and the wide layer's result; all blocks' speech.
    const std::int64_t speech = sizes.clip.latents() * 8 * 2 * model.width * model.blocks;
    return static_cast<std::uint64_t>(tokens * (6 * model.width + model.ffn) + speech);
}

/// Values that the autoencoder keeps of a film (spec 13: 154 and 468 million at 512 x 512) and works on, which both
/// grow with the picture and the width of the layers.
struct Codec {
    std::uint64_t encode;
    std::uint64_t decode;
};
Codec coding(const XdubSizes& sizes) {
    const double area = static_cast<double>(sizes.picture_width * sizes.picture_height) / (512.0 * 512.0);
    const double encoder = area * static_cast<double>(sizes.vae.encoder_base) / 160;
    const double decoder = area * static_cast<double>(sizes.vae.decoder_base) / 256;
    constexpr double kEncoderPlane = 160.0 * 256 * 256;      // of a frame in the widest layer
    constexpr double kDecoderPlane = 4 * 512.0 * 256 * 256;  // of the four frames of a latent
    return {static_cast<std::uint64_t>(encoder * (154e6 + 4 * kEncoderPlane)),
            static_cast<std::uint64_t>(decoder * (468e6 + 4 * kDecoderPlane))};
}

}  // namespace

std::vector<MemoryNeed> memory_needs(const XdubFiles& files, at::ScalarType type) {
    const XdubSizes& sizes = files.sizes;
    const std::uint64_t width = c10::elementSize(type);
    const std::uint64_t hear =
        values_of<speech::WhisperEncoder>(sizes.whisper) + values_of<speech::Wav2Vec2>(sizes.wav2vec2);
    const std::uint64_t vae = values_of<autoencoder::WanVae>(sizes.vae);
    const std::uint64_t transformer =
        static_cast<std::uint64_t>(LipSyncTransformer::outline(sizes.transformer).elements());
    const std::uint64_t prompt = files.empty_prompt.empty() ? largest_of_text(sizes.umt5)
                                                            : static_cast<std::uint64_t>(sizes.transformer.text_width);
    const Codec codec = coding(sizes);
    std::vector<MemoryNeed> needs{{"hear", hear, hear, hearing(sizes)},
                                  {"prompt", prompt, prompt, 0},
                                  {"encode", vae, vae, codec.encode},
                                  {"sample", transformer, least_of_transformer(sizes.transformer), sampling(sizes)},
                                  {"decode", vae, vae, codec.decode}};
    for (MemoryNeed& need : needs) {
        need.weights *= width;
        need.least_weights *= width;
        need.activations *= width;
    }
    return needs;
}

}  // namespace omnisync::xdub
