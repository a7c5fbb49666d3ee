// A whole file as one text.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace omnisync {

/// All bytes of a file; nothing when it cannot be read, as a folder cannot.
[[nodiscard]] std::optional<std::string> read_whole(const std::filesystem::path& file);

}  // namespace omnisync
