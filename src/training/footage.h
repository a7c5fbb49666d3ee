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
        std::int64_t frames = 0;  ///< 0: speech alone
        std::int64_t first_sample = 0;
        std::int64_t samples = 0;
        double rate = 25;  ///< frames a second
        std::string name;
        std::int64_t first_heard = 0;
        std::int64_t heard = 0;  ///< rows of `teacher`; 0 without
    };
    std::string path;
    std::vector<Clip> clips;
    at::Tensor landmarks;  ///< [F, 68, 2] float16, canonical pixels
    at::Tensor speech;     ///< [N] int16, speech::kRateHz
    at::Tensor luma;       ///< [F, 112, 128] uint8; undefined when the shard has no pictures
    at::Tensor chroma;     ///< [F, 2, 56, 64] uint8
    at::Tensor teacher;    ///< [H, any] float16: what a recogniser hears (tools/add_teacher.py); undefined without
    double teacher_first_s = 0;  ///< when in its clip a first row lies
    double teacher_step_s = 1;   ///< from row to row
};

/// Clips of speech alone (no frames) teach an ear, nothing else.
enum class Clips { with_faces, all };

/// A shard's name for people: two of one name tell themselves apart by their folder.
[[nodiscard]] std::string shard_name(const std::string& path);

/// Throws Error(bad_data) for what is no shard, whose clips reach beyond it, or that has none of the `wanted` ones.
[[nodiscard]] Footage load_footage(const std::string& path, Clips wanted = Clips::with_faces);
[[nodiscard]] std::vector<Footage> load_footage(const std::vector<std::string>& paths,
                                                Clips wanted = Clips::with_faces);
/// The same; throws Error(usage) when there is nothing to learn from.
[[nodiscard]] std::vector<Footage> load_to_learn(const std::vector<std::string>& paths,
                                                 Clips wanted = Clips::with_faces);

}  // namespace omnisync::training
