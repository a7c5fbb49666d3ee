// Which file it was: for reports that are read long after the files have changed.
#pragma once

#include <cstdint>
#include <string>

namespace omnisync::command {

struct FileIdentity {
    std::string path;
    std::uint64_t bytes = 0;
    std::string modified;  ///< UTC, "2026-11-21T13:29:35Z"
    std::string sha256;    ///< lower case; empty for files over kLargestHashed or unreadable ones
};

inline constexpr std::uint64_t kLargestHashed = 256U << 20U;  ///< bytes: about a second of hashing

[[nodiscard]] FileIdentity identify(const std::string& path);

/// A moment in the form of `modified`.
[[nodiscard]] std::string utc_text(std::int64_t seconds_since_1970);

}  // namespace omnisync::command
