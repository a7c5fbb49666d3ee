// How much memory there is for this process.
#pragma once

#include <cstdint>

namespace omnisync {

/// Bytes of the machine, or of the control group when that is less; 0 where the system does not say.
struct Memory {
    std::uint64_t total = 0;
    std::uint64_t available = 0;  ///< now, without pushing anything out
};
[[nodiscard]] Memory memory_for_us();

}  // namespace omnisync
