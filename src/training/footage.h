// Training footage as `omnisync prepare` leaves it.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

namespace omnisync::training {

/// One shard: clips end to end. Tensors share the mapped file.
struct Footage {
    struct Clip {
        std::int64_t first_frame = 0;
        std::int64_t frames = 0;
        std::int64_t first_sample = 0;
        std::int64_t samples = 0;
        double rate = 25;  ///< frames a second
        std::string name;
    };
    std::string path;
    std::vector<Clip> clips;
    at::Tensor landmarks;  ///< [F, 68, 2] float16, canonical pixels
    at::Tensor speech;     ///< [N] int16, speech::kRateHz
    at::Tensor luma;       ///< [F, 112, 128] uint8; undefined when the shard has no pictures
    at::Tensor chroma;     ///< [F, 2, 56, 64] uint8
};

/// A shard's name for people: two of one name tell themselves apart by their folder.
[[nodiscard]] std::string shard_name(const std::string& path);

/// Throws Error(bad_data) for what is no shard or whose clips reach beyond it.
[[nodiscard]] Footage load_footage(const std::string& path);
[[nodiscard]] std::vector<Footage> load_footage(const std::vector<std::string>& paths);
/// The same; throws Error(usage) when there is nothing to learn from.
[[nodiscard]] std::vector<Footage> load_to_learn(const std::vector<std::string>& paths);

}  // namespace omnisync::training
