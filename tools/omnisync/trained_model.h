// The operand MODEL of `train` and `validate`.
#pragma once

#include <string>

#include "core/api.h"

namespace omnisync::command {

/// "motion", "render" or "sync"; throws Error(usage) for anything else.
[[nodiscard]] TrainedModel parse_trained_model(const std::string& name);

}  // namespace omnisync::command
