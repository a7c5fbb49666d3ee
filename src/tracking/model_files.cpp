#include "tracking/model_files.h"

#include <cstdlib>
#include <filesystem>
#include <vector>

namespace omnisync::tracking {
namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

std::optional<std::string> find_model(const std::string& folder, const std::string& file_name) {
    namespace fs = std::filesystem;
    std::vector<fs::path> folders{folder, environment("OMNISYNC_MODELS")};
    if (const std::string data = environment("XDG_DATA_HOME"); !data.empty())
        folders.push_back(fs::path(data) / "omnisync/models");
    else if (const std::string home = environment("HOME"); !home.empty())
        folders.push_back(fs::path(home) / ".local/share/omnisync/models");
    folders.emplace_back("/usr/share/dlib");
    for (const fs::path& place : folders) {
        std::error_code error;
        if (!place.empty() && fs::is_regular_file(place / file_name, error)) return (place / file_name).string();
    }
    return std::nullopt;
}

}  // namespace omnisync::tracking
