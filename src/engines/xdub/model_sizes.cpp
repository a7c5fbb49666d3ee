#include "engines/xdub/model_sizes.h"

#include <cmath>
#include <map>

#include "base/flat_json.h"
#include "base/mapped_file.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

// Far beyond any released model, and far from filling a machine's memory by their number alone.
constexpr double kLargest = 1 << 19;
constexpr std::int64_t kMostLayers = 512, kMostFrames = 1001, kLongestSide = 4096;

/// Takes members out of the file; those that nobody takes are refused.
class Sizes {
public:
    explicit Sizes(const std::string& path) : path_(path), values_(read_flat_json(MappedFile(path).bytes(), path)) {}

    void take(const std::string& name, std::int64_t& into) {
        const auto found = values_.find(name);
        if (found == values_.end()) return;
        const double value = found->second;
        require(value >= 1 && value <= kLargest && value == std::floor(value), ExitCode::bad_data, path_, ": '", name,
                "' must be a whole number from 1 on, not ", value);
        into = static_cast<std::int64_t>(value);
        values_.erase(found);
    }
    void take(const std::string& name, std::vector<std::int64_t>& into) {
        if (!values_.contains(name + ".0")) return;
        into.clear();
        for (std::string one = name + ".0"; values_.contains(one); one = name + "." + std::to_string(into.size()))
            take(one, into.emplace_back());
    }
    void must(bool condition, const char* what) const { require(condition, ExitCode::bad_data, path_, ": ", what); }
    void finish() const {
        if (!values_.empty()) fail(ExitCode::bad_data, path_, ": unknown size '", values_.begin()->first, "'");
    }

private:
    std::string path_;
    std::map<std::string, double> values_;
};

}  // namespace

XdubSizes read_sizes(const std::string& path) {
    Sizes file(path);
    XdubSizes sizes;
    auto& [transformer, vae, whisper, wav2vec2, umt5, clip, width, height] = sizes;
    file.take("transformer.width", transformer.width);
    file.take("transformer.heads", transformer.heads);
    file.take("transformer.blocks", transformer.blocks);
    file.take("transformer.ffn", transformer.ffn);
    file.take("transformer.text_width", transformer.text_width);
    file.take("transformer.time_waves", transformer.time_waves);
    file.take("transformer.audio.features", transformer.audio.features);
    file.take("transformer.audio.width", transformer.audio.width);
    file.take("transformer.audio.heads", transformer.audio.heads);
    file.take("transformer.audio.layers", transformer.audio.layers);
    file.take("transformer.audio.longest_window", transformer.audio.longest_window);
    file.take("vae.encoder_base", vae.encoder_base);
    file.take("vae.decoder_base", vae.decoder_base);
    file.take("whisper.bands", whisper.bands);
    file.take("whisper.positions", whisper.positions);
    file.take("whisper.width", whisper.width);
    file.take("whisper.heads", whisper.heads);
    file.take("whisper.layers", whisper.layers);
    file.take("whisper.mlp", whisper.mlp);
    file.take("wav2vec2.conv_width", wav2vec2.conv_width);
    file.take("wav2vec2.width", wav2vec2.width);
    file.take("wav2vec2.heads", wav2vec2.heads);
    file.take("wav2vec2.layers", wav2vec2.layers);
    file.take("wav2vec2.mlp", wav2vec2.mlp);
    file.take("wav2vec2.place_kernel", wav2vec2.place_kernel);
    file.take("wav2vec2.place_groups", wav2vec2.place_groups);
    file.take("umt5.vocabulary", umt5.vocabulary);
    file.take("umt5.width", umt5.width);
    file.take("umt5.attention_width", umt5.attention_width);
    file.take("umt5.heads", umt5.heads);
    file.take("umt5.mlp", umt5.mlp);
    file.take("umt5.layers", umt5.layers);
    file.take("clip.frames", clip.frames);
    file.take("clip.motion", clip.motion);
    file.take("picture_width", width);
    file.take("picture_height", height);
    file.finish();
    for (const auto& [whole, part] : {std::pair{transformer.width, transformer.heads},
                                      {transformer.audio.width, transformer.audio.heads},
                                      {whisper.width, whisper.heads},
                                      {wav2vec2.width, wav2vec2.heads},
                                      {wav2vec2.width, wav2vec2.place_groups},
                                      {umt5.attention_width, umt5.heads}})
        file.must(whole % part == 0, "a width is no multiple of its heads or groups");
    file.must(transformer.audio.features == whisper.width + wav2vec2.width,
              "transformer.audio.features must be whisper.width + wav2vec2.width");
    for (const std::int64_t layers :
         {transformer.blocks, transformer.audio.layers, whisper.layers, wav2vec2.layers, umt5.layers})
        file.must(layers <= kMostLayers, "no model has so many layers");
    file.must(clip.frames <= kMostFrames, "clip.frames must be 1001 at most");
    file.must(width <= kLongestSide && height <= kLongestSide, "picture_width and picture_height must be 4096 at most");
    file.must(clip.frames % 4 == 1 && clip.motion % 4 == 1 && clip.motion < clip.frames,
              "clip.frames and clip.motion must be 1 more than multiples of 4, and motion the smaller");
    file.must(width % 32 == 0 && height % 32 == 0, "picture_width and picture_height must be multiples of 32");
    return sizes;
}

}  // namespace omnisync::xdub
