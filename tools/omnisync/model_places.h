// Where engines' models are looked for.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace omnisync::command {

/// The folder that comes with the program.
[[nodiscard]] std::filesystem::path shipped_models();

/// Folders that may hold an engine's folder, the first before the last: `given` (of --models; may be empty),
/// $OMNISYNC_MODELS, the user's data folder, the shipped one.
[[nodiscard]] std::vector<std::filesystem::path> model_places(const std::string& given);

}  // namespace omnisync::command
