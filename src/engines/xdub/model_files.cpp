#include "engines/xdub/model_files.h"

#include <algorithm>
#include <array>
#include <filesystem>

#include "engines/xdub/lip_sync_transformer.h"
#include "engines/xdub/model_sizes.h"
#include "omnisync/error.h"
#include "weights/safetensors.h"

namespace omnisync::xdub {
namespace {

namespace fs = std::filesystem;
using weights::Parameters;
using weights::Scope;

constexpr std::array<const char*, 6> kEndings{".safetensors", ".safetensors.index.json", ".pt", ".pth",
                                              ".bin",         ".bin.index.json"};

/// How a part is published: names without ending, the first being the one to ask for.
struct Published {
    Part part;
    std::string XdubFiles::*file;
    const char* name;
    std::vector<const char*> stems;
    const char* usual;  ///< what to ask for
};

const std::vector<Published>& published() {
    static const std::vector<Published> list{
        {Part::transformer, &XdubFiles::transformer, "transformer", {"X-Dub_model"}, "X-Dub_model.safetensors"},
        {Part::vae, &XdubFiles::vae, "vae", {"Wan2.2_VAE"}, "Wan2.2_VAE.safetensors"},
        {Part::whisper,
         &XdubFiles::whisper,
         "whisper",
         {"whisper/large-v2", "whisper/model", "whisper/pytorch_model"},
         "whisper/large-v2.pt"},
        {Part::wav2vec2,
         &XdubFiles::wav2vec2,
         "wav2vec2",
         {"wav2vec2-base-960h/model", "wav2vec2-base-960h/pytorch_model"},
         "wav2vec2-base-960h/model.safetensors"},
        {Part::text,
         &XdubFiles::text,
         "text",
         {"models_t5_umt5-xxl-enc-bf16"},
         "models_t5_umt5-xxl-enc-bf16.safetensors"},
        {Part::empty_prompt, &XdubFiles::empty_prompt, "empty_prompt", {"empty_prompt"}, kEmptyPromptFile},
    };
    return list;
}

const Published& published(Part part) {
    return published()[static_cast<std::size_t>(part)];
}

std::string find(const fs::path& folder, const Published& part) {
    for (const char* const stem : part.stems)
        for (const char* const ending : kEndings) {
            const fs::path path = folder / (std::string(stem) + ending);
            std::error_code error;
            if (fs::is_regular_file(path, error)) return path.string();
        }
    return {};
}

/// Names that a model's file is known by, whatever is wrapped around it.
std::vector<std::string> known_names(Part part) {
    switch (part) {
        case Part::transformer:
            return {"patch_embedding.weight"};
        case Part::vae:
            return {"encoder.conv1.weight"};
        case Part::whisper:
            return {"model.encoder.conv1.weight", "encoder.conv1.weight"};
        case Part::wav2vec2:
            return {"wav2vec2.feature_extractor.conv_layers.0.conv.weight"};
        case Part::text:
            return {"token_embedding.weight"};
        default:
            return {kEmptyPromptTensor};
    }
}

void ask_for_all(Parameters& survey, Part part, const XdubSizes& sizes) {
    const Scope scope(survey);
    switch (part) {
        case Part::transformer: {
            const Parameters outline = LipSyncTransformer::outline(sizes.transformer);
            for (const auto& [name, tensor] : outline.tensors()) (void)survey.get(name, tensor.sizes());
            break;
        }
        case Part::vae:
            (void)autoencoder::WanVae(scope, sizes.vae);
            break;
        case Part::whisper:
            (void)speech::WhisperEncoder(scope, sizes.whisper);
            break;
        case Part::wav2vec2:
            (void)speech::Wav2Vec2(scope, sizes.wav2vec2);
            break;
        case Part::text:
            text::note_umt5(scope, sizes.umt5);
            break;
        case Part::empty_prompt:
            (void)survey.get(kEmptyPromptTensor, {sizes.transformer.text_width});
            break;
    }
}

/// What published files have besides, unused here.
std::vector<std::string> extras(Part part) {
    if (part == Part::whisper) return {"model.decoder.", "proj_out."};
    if (part == Part::wav2vec2) return {"lm_head.", "wav2vec2.masked_spec_embed"};
    return {};
}

}  // namespace

XdubFiles find_xdub_files(const std::string& folder) {
    XdubFiles files;
    files.folder = folder;
    for (const Published& part : published()) files.*part.file = find(folder, part);
    std::string missing;
    const auto lack = [&](const std::string& name) { missing += (missing.empty() ? "" : ", ") + name; };
    for (const Part part : {Part::transformer, Part::vae, Part::whisper, Part::wav2vec2})
        if (file_of(files, part).empty()) lack(published(part).usual);
    if (files.empty_prompt.empty() && files.text.empty())
        lack(concat(kEmptyPromptFile, " (or ", published(Part::text).usual, ")"));
    if (!missing.empty())
        throw Error(ExitCode::unavailable, concat("X-Dub's models are not all in '", folder, "': missing ", missing),
                    "they are their makers' and are fetched by you: docs/xdub.md says from where; "
                    "'omnisync models list' says what is here");
    const fs::path sizes = fs::path(folder) / kSizesFile;
    if (fs::exists(sizes)) files.sizes = read_sizes(sizes.string());
    return files;
}

bool has_any_file(const std::string& folder) {
    return std::any_of(published().begin(), published().end(),
                       [&](const Published& part) { return !find(folder, part).empty(); });
}

const char* name_of(Part part) {
    return published(part).name;
}

std::vector<Part> parts_of(const XdubFiles& files) {
    std::vector<Part> parts;
    for (const Published& part : published())
        if (!(files.*part.file).empty()) parts.push_back(part.part);
    return parts;
}

const std::string& file_of(const XdubFiles& files, Part part) {
    return files.*published(part).file;
}

weights::TensorFile open_part(const XdubFiles& files, Part part) {
    weights::TensorFile file = weights::open_weights(file_of(files, part), known_names(part));
    if (part == Part::whisper) file.tensors = speech::whisper_tensors(std::move(file.tensors));
    return file;
}

weights::Inventory take_inventory(const weights::TensorFile& file, Part part, const XdubSizes& sizes) {
    return weights::take_inventory(
        file, [&](Parameters& survey) { ask_for_all(survey, part, sizes); }, extras(part));
}

void drop_extras(weights::TensorFile& file, Part part) {
    for (const std::string& extra : extras(part))
        std::erase_if(file.tensors, [&](const auto& tensor) { return tensor.first.starts_with(extra); });
}

std::string converted_name(Part part) {
    return part == Part::whisper ? "whisper/model.safetensors" : concat(published(part).stems.front(), ".safetensors");
}

void require_complete(const XdubFiles& files) {
    for (const Part part : parts_of(files))
        weights::require_fit(take_inventory(open_part(files, part), part, files.sizes), file_of(files, part));
}

Parameters load_part(const XdubFiles& files, Part part, at::ScalarType type, at::Device device) {
    weights::TensorFile file = open_part(files, part);
    weights::require_fit(take_inventory(file, part, files.sizes), file_of(files, part));
    return {std::move(file.tensors), file_of(files, part), type, device};
}

at::Tensor load_empty_prompt(const XdubFiles& files) {
    if (!files.empty_prompt.empty()) {
        Parameters parameters = load_part(files, Part::empty_prompt);
        return parameters.get(kEmptyPromptTensor, {files.sizes.transformer.text_width}).clone();
    }
    Parameters parameters = load_part(files, Part::text);
    require(files.sizes.umt5.width == files.sizes.transformer.text_width, ExitCode::bad_data, files.text,
            ": its words are ", files.sizes.umt5.width, " wide, the transformer needs ",
            files.sizes.transformer.text_width);
    return text::empty_prompt_row(Scope(parameters), files.sizes.umt5).clone();
}

}  // namespace omnisync::xdub
