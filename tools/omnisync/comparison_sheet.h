// What a model makes of held-out samples, as one picture.
#pragma once

#include <vector>

#include "core/api.h"

namespace omnisync::command {

/// A row for each sample, its pictures twice as large. Throws Error(bad_data) when there are none.
[[nodiscard]] Image draw_comparisons(const std::vector<PictureRow>& rows);

}  // namespace omnisync::command
