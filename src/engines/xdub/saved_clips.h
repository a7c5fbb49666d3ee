// Finished clips on disk: what an interrupted run need not compute again.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace omnisync::xdub {

/// A folder of files "STRETCH-CLIP.safetensors", each with the key of the run that it belongs to.
class SavedClips {
public:
    /// `folder`: made when the first clip is saved; empty: nothing is kept. `key`: everything that latents depend on.
    SavedClips(std::string folder, std::string key) : folder_(std::move(folder)), key_(std::move(key)) {}

    /// The clip's latents as save() got them; nothing when they are not there, damaged, or of another run.
    [[nodiscard]] std::optional<at::Tensor> find(std::int64_t stretch, std::int64_t clip) const;
    /// Throws Error: cannot_create, io.
    void save(std::int64_t stretch, std::int64_t clip, const at::Tensor& latents) const;

private:
    [[nodiscard]] std::string path_of(std::int64_t stretch, std::int64_t clip) const;

    std::string folder_;
    std::string key_;
};

}  // namespace omnisync::xdub
