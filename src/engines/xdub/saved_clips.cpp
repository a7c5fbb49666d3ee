#include "engines/xdub/saved_clips.h"

#include <filesystem>
#include <system_error>

#include "base/sha256.h"
#include "omnisync/error.h"
#include "weights/safetensors.h"

namespace omnisync::xdub {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLatents = "latents";
constexpr const char* kKey = "key";
constexpr const char* kSum = "sha256";

std::string sum_of(const at::Tensor& latents) {
    return hex(sha256({static_cast<const char*>(latents.const_data_ptr()), latents.nbytes()}));
}

/// Nothing for an entry that is not there.
std::string entry(const weights::TensorFile& file, const char* name) {
    const auto found = file.metadata.find(name);
    return found == file.metadata.end() ? std::string() : found->second;
}

}  // namespace

SavedClips::SavedClips(const std::string& folder, const std::string& key) : folder_(folder), key_(key) {
    if (!folder.empty()) own_ = (fs::path(folder) / key.substr(0, 16)).string();
}

std::string SavedClips::path_of(std::int64_t stretch, std::int64_t clip) const {
    return (fs::path(own_) / concat(stretch, '-', clip, ".safetensors")).string();
}

void SavedClips::open() const {
    if (own_.empty()) return;
    std::error_code failed;
    fs::create_directories(own_, failed);
    require(!failed, ExitCode::cannot_create, "finished clips cannot be kept in '", folder_, "': ", failed.message());
}

std::optional<at::Tensor> SavedClips::find(std::int64_t stretch, std::int64_t clip) const {
    if (own_.empty()) return std::nullopt;
    try {
        const weights::TensorFile file = weights::load_safetensors(path_of(stretch, clip));
        const auto latents = file.tensors.find(kLatents);
        if (entry(file, kKey) != key_ || latents == file.tensors.end()) return std::nullopt;
        if (sum_of(latents->second) != entry(file, kSum)) return std::nullopt;
        return latents->second.clone();
    } catch (const Error&) {
        return std::nullopt;  // it is computed again
    }
}

void SavedClips::save(std::int64_t stretch, std::int64_t clip, const at::Tensor& latents) const {
    if (own_.empty()) return;
    const at::Tensor plain = latents.contiguous();
    weights::save_safetensors({{{kLatents, plain}}, {{kKey, key_}, {kSum, sum_of(plain)}}}, path_of(stretch, clip),
                              true);
}

void SavedClips::forget() const {
    if (own_.empty()) return;
    std::error_code ignored;  // what stays behind costs room, not the result
    fs::remove_all(own_, ignored);
    fs::remove(folder_, ignored);  // only an empty one
}

}  // namespace omnisync::xdub
