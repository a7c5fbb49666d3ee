#include "engines/xdub/saved_clips.h"

#include <filesystem>
#include <system_error>

#include "omnisync/error.h"
#include "weights/safetensors.h"

namespace omnisync::xdub {
namespace {

constexpr const char* kLatents = "latents";
constexpr const char* kKey = "key";

}  // namespace

std::string SavedClips::path_of(std::int64_t stretch, std::int64_t clip) const {
    return (std::filesystem::path(folder_) / concat(stretch, '-', clip, ".safetensors")).string();
}

std::optional<at::Tensor> SavedClips::find(std::int64_t stretch, std::int64_t clip) const {
    if (folder_.empty()) return std::nullopt;
    try {
        const weights::TensorFile file = weights::load_safetensors(path_of(stretch, clip));
        const auto key = file.metadata.find(kKey);
        const auto latents = file.tensors.find(kLatents);
        if (key == file.metadata.end() || key->second != key_ || latents == file.tensors.end()) return std::nullopt;
        return latents->second.clone();
    } catch (const Error&) {
        return std::nullopt;  // it is computed again
    }
}

void SavedClips::save(std::int64_t stretch, std::int64_t clip, const at::Tensor& latents) const {
    if (folder_.empty()) return;
    std::error_code failed;
    std::filesystem::create_directories(folder_, failed);
    weights::save_safetensors({{{kLatents, latents}}, {{kKey, key_}}}, path_of(stretch, clip), true);
}

}  // namespace omnisync::xdub
