#include "model_places.h"

#include <cstdlib>

#include "base/module.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

}  // namespace

fs::path shipped_models() {
    return (folder_of_base_library() / ".." / "share" / "omnisync" / "models").lexically_normal();
}

std::vector<fs::path> model_places(const std::string& given) {
    std::vector<fs::path> found{given, environment("OMNISYNC_MODELS")};
    if (const std::string data = environment("XDG_DATA_HOME"); !data.empty())
        found.push_back(fs::path(data) / "omnisync/models");
    else if (const std::string home = environment("HOME"); !home.empty())
        found.push_back(fs::path(home) / ".local/share/omnisync/models");
    found.push_back(shipped_models());
    std::erase(found, fs::path());
    return found;
}

}  // namespace omnisync::command
