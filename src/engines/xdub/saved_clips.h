// Finished clips on disk: what an interrupted run need not compute again.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

namespace omnisync::xdub {

/// Files "FOLDER/KEY/STRETCH-CLIP.safetensors": runs with different keys do not touch one another's.
class SavedClips {
public:
    /// `folder`: empty keeps nothing. `key`: everything that latents depend on, as 64 hexadecimal digits.
    SavedClips(const std::string& folder, const std::string& key);

    /// Makes the folder. Throws Error(cannot_create) with the system's reason.
    void open() const;
    /// The clip's latents as save() got them; nothing when they are not there or damaged.
    [[nodiscard]] std::optional<at::Tensor> find(std::int64_t stretch, std::int64_t clip) const;
    /// Throws Error: cannot_create, io.
    void save(std::int64_t stretch, std::int64_t clip, const at::Tensor& latents) const;
    /// Removes this run's clips, and the folder if no other run's are in it.
    void forget() const;

private:
    [[nodiscard]] std::string path_of(std::int64_t stretch, std::int64_t clip) const;

    std::string folder_;  // of all runs
    std::string own_;     // of this one; empty: none
    std::string key_;
};

}  // namespace omnisync::xdub
