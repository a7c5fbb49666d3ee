// Files as jobs see them: what they hold, and how they come under their names.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "batch/records.h"

namespace omnisync::batch {

/// Size and time of change, with no sum; nothing when it is not a readable regular file.
[[nodiscard]] std::optional<FileMark> glance(const std::string& path);

/// With the sum; taken from `known` when that is of this file as it is now. Throws Error: no_input, io, interrupted
/// (after `stop` said so).
[[nodiscard]] FileMark mark_file(const std::string& path, const FileMark* known, const std::function<bool()>& stop);

/// Whether a file still holds what the mark says; reads it only when its size or time of change tell nothing.
[[nodiscard]] bool still_holds(const FileMark& mark);

/// Renames within a file system; without `replace` false when `to` exists. Throws Error(cannot_create).
[[nodiscard]] bool put_in_place(const std::string& from, const std::string& to, bool replace);

/// Removes a folder and what is in it, as far as possible.
void remove_folder(const std::string& path);

}  // namespace omnisync::batch
