// What this computer has, as far as it matters for dubbing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace omnisync::command {

struct Machine {
    std::string system;              ///< distribution and kernel
    std::string cpu;                 ///< the processor's own name
    std::vector<std::string> simd;   ///< "avx2", "avx512f" ... that it has
    int cores = 0;                   ///< this process may use, by affinity
    double cpu_quota = 0;            ///< cores the control group grants; 0: no limit
    std::uint64_t memory_bytes = 0;  ///< of the machine, or of the control group when that is less
    std::uint64_t available_bytes = 0;
    std::string temp_folder;
    std::uint64_t temp_free_bytes = 0;
    bool temp_writable = false;
};

[[nodiscard]] Machine describe_machine();

}  // namespace omnisync::command
