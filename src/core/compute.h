// What this machine computes with, and how fast.
#pragma once

#include "core/api.h"

namespace omnisync {

/// Measures for less than a second. May throw LibTorch's own exceptions.
[[nodiscard]] ComputeInfo describe_compute();

}  // namespace omnisync
