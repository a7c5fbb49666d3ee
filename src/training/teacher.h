// Knowledge distillation for the ear: what a speech recogniser's encoder hears in the clips, if the shards have it.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "training/footage.h"

namespace omnisync::training {

/// The directions in which what the teacher hears differs most, each scaled by the root of its deviation: halfway
/// between what is loud in the teacher and what is there at all.
class TeacherSpace {
public:
    /// Of all shards that have a teacher's features; they must be of one width (Error(bad_data) if not).
    TeacherSpace(const std::vector<Footage>& footage, std::int64_t components);
    /// False where no shard has a teacher.
    [[nodiscard]] bool known() const { return axes_.defined(); }
    /// [n, width] of any type -> [n, components] float32, of mean 0 and mean square 1 over all shards.
    [[nodiscard]] at::Tensor encode(const at::Tensor& rows) const;

private:
    at::Tensor mean_;  // [width]
    at::Tensor axes_;  // [width, components]
};

}  // namespace omnisync::training
