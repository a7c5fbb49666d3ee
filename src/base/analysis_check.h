// Whether an analysis is one that everything else may rely on.
#pragma once

#include <string>

#include "omnisync/analysis.h"

namespace omnisync {

/// The first thing wrong with it, in words; empty when indices are in range, times rise and numbers are finite.
[[nodiscard]] std::string fault_of(const Analysis& analysis);

}  // namespace omnisync
