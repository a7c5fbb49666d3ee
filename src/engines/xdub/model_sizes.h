// Sizes of X-Dub's models from a file beside them: for tests, and for models of the same kind that others train.
#pragma once

#include <string>

#include "engines/xdub/model_files.h"

namespace omnisync::xdub {

/// The file's values in place of the released ones. Throws Error(bad_data) for members that are unknown, values that no
/// model can have and sizes that do not fit one another.
[[nodiscard]] XdubSizes read_sizes(const std::string& path);

}  // namespace omnisync::xdub
