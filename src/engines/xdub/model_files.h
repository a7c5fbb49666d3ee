// Where the files of X-Dub's models lie, and what they must hold. The user brings them: docs/xdub.md.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <string>
#include <vector>

#include "autoencoder/wan_vae.h"
#include "engines/xdub/clip_plan.h"
#include "engines/xdub/transformer_block.h"
#include "speech/wav2vec2.h"
#include "speech/whisper_encoder.h"
#include "text/umt5_encoder.h"
#include "weights/inventory.h"

namespace omnisync::xdub {

/// The released models' sizes, unless a folder's omnisync-xdub.json gives others.
struct XdubSizes {
    TransformerConfig transformer;
    autoencoder::WanVaeConfig vae;
    speech::WhisperConfig whisper;
    speech::Wav2Vec2Config wav2vec2;
    text::Umt5Config umt5;
    ClipShape clip;
    std::int64_t picture_width = 512;  ///< of the face that the model sees, multiples of 32
    std::int64_t picture_height = 512;
};

/// Paths of files that exist.
struct XdubFiles {
    std::string folder;
    std::string transformer;
    std::string vae;
    std::string whisper;
    std::string wav2vec2;
    std::string empty_prompt;  ///< empty: `text` is there instead
    std::string text;          ///< may be empty where `empty_prompt` is there
    XdubSizes sizes;
};

/// The names that the files are published under, below `folder`: X-Dub_model, Wan2.2_VAE, whisper/large-v2,
/// wav2vec2-base-960h/model or pytorch_model, and empty_prompt or models_t5_umt5-xxl-enc-bf16; each as .safetensors, as
/// a set with .safetensors.index.json, or as .pt, .pth, .bin. Opens none of them.
/// Throws Error: unavailable with all that is missing and what to do; bad_data for a damaged omnisync-xdub.json.
[[nodiscard]] XdubFiles find_xdub_files(const std::string& folder);

/// Whether any of them is there.
[[nodiscard]] bool has_any_file(const std::string& folder);

/// Sizes that differ from the released ones, as JSON: see read_sizes().
inline constexpr const char* kSizesFile = "omnisync-xdub.json";

enum class Part { transformer, vae, whisper, wav2vec2, text, empty_prompt };

/// "transformer": for people.
[[nodiscard]] const char* name_of(Part part);
/// The parts that are there, in the order of the work.
[[nodiscard]] std::vector<Part> parts_of(const XdubFiles& files);
[[nodiscard]] const std::string& file_of(const XdubFiles& files, Part part);

/// Opens a part without reading its numbers; wrappings are taken off its names, Whisper's are Hugging Face's.
/// Throws Error: no_input, bad_data.
[[nodiscard]] weights::TensorFile open_part(const XdubFiles& files, Part part);

/// What it has against what the released layout of these sizes needs.
[[nodiscard]] weights::Inventory take_inventory(const weights::TensorFile& file, Part part, const XdubSizes& sizes);

/// The tensors that the published file has and the model does not ask for are taken out.
void drop_extras(weights::TensorFile& file, Part part);

/// Where a converted copy belongs, below its folder: "whisper/model.safetensors".
[[nodiscard]] std::string converted_name(Part part);

/// Compares every part with what the released layout needs. Throws Error: no_input; bad_data as load_part().
void require_complete(const XdubFiles& files);

/// Opened, complete, ready to build the model on: tensors come as `type` on `device`.
/// Throws Error: no_input; bad_data with everything that is missing, misshapen or surplus.
[[nodiscard]] weights::Parameters load_part(const XdubFiles& files, Part part, at::ScalarType type = at::kFloat,
                                            at::Device device = at::kCPU);

/// What the text encoder makes of the empty prompt, row 0 of it: [text width], from the stored constant, else from the
/// text encoder, whose 3.7 GB that matter are then read. On the CPU, float32. Throws as load_part().
[[nodiscard]] at::Tensor load_empty_prompt(const XdubFiles& files);

/// For `models import`: the constant that makes the text encoder unnecessary.
inline constexpr const char* kEmptyPromptFile = "empty_prompt.safetensors";
inline constexpr const char* kEmptyPromptTensor = "empty_prompt";
inline constexpr const char* kEmptyPromptFormat = "omnisync-empty-prompt-1";

}  // namespace omnisync::xdub
