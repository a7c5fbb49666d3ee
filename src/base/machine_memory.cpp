#include "base/machine_memory.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <string>

#include "base/text.h"

namespace omnisync {
namespace {

std::uint64_t value_of(const std::string& key) {
    std::ifstream file("/proc/meminfo");
    std::string name, rest;
    for (std::uint64_t kibibytes = 0; file >> name >> kibibytes; std::getline(file, rest))
        if (name == key + ":") return kibibytes * 1024;
    return 0;
}

/// Nothing where there is no such file, or no number in it.
std::optional<std::int64_t> number_in(const char* path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return parse_integer(line);
}

}  // namespace

Memory memory_for_us() {
    Memory memory{value_of("MemTotal"), value_of("MemAvailable")};
    if (const auto limit = number_in("/sys/fs/cgroup/memory.max"); limit && *limit > 0) {
        const auto used = number_in("/sys/fs/cgroup/memory.current").value_or(0);
        memory.total = std::min(memory.total, static_cast<std::uint64_t>(*limit));
        memory.available =
            std::min(memory.available, static_cast<std::uint64_t>(std::max<std::int64_t>(0, *limit - used)));
    }
    return memory;
}

}  // namespace omnisync
