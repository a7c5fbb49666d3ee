// Which process holds a job, and whether it still lives: as far as that can be told from here.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace omnisync::batch {

/// One process, never to be mistaken for a later one with its number.
struct Owner {
    std::string host;     ///< its name, for people
    std::string machine;  ///< host, boot and process namespace: equal where process numbers mean the same
    pid_t pid = 0;
    std::uint64_t started = 0;  ///< clock ticks after the boot

    friend bool operator==(const Owner&, const Owner&) = default;
};

[[nodiscard]] Owner this_process();

/// Nothing when it runs, or ran, where this process cannot see it.
[[nodiscard]] std::optional<bool> is_alive(const Owner& owner);

/// A word of 32 random hexadecimal digits.
[[nodiscard]] std::string random_word();

}  // namespace omnisync::batch
