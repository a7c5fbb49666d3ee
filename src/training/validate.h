// Scores finished weights on held-out shards.
#pragma once

#include <functional>

#include "core/api.h"

namespace omnisync::training {

/// See CoreApi::validate.
[[nodiscard]] Validation validate(const ValidateRequest& request, const std::function<bool()>& stop);

}  // namespace omnisync::training
