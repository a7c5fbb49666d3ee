// How much memory X-Dub's stages need, from its sizes alone.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <vector>

#include "engines/xdub/model_files.h"

namespace omnisync::xdub {

/// One stage of the work; stages follow one another, and what one needs can be let go before the next.
struct MemoryNeed {
    std::string stage;                ///< "hear", "prompt", "encode", "sample", "decode"
    std::uint64_t weights = 0;        ///< bytes, all of them at hand
    std::uint64_t least_weights = 0;  ///< bytes, streamed block by block
    std::uint64_t activations = 0;    ///< bytes, estimated: of one clip, one pass at a time
};

/// With weights of this type. Weights are counted exactly, from the outlines; activations are estimates.
[[nodiscard]] std::vector<MemoryNeed> memory_needs(const XdubFiles& files, at::ScalarType type);

}  // namespace omnisync::xdub
