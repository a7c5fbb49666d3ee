// `omnisync models list`: what the manifests (models/*.json) name, and what of it is here.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "base/module.h"
#include "base/text.h"
#include "model_places.h"
#include "models.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

/// Where models may lie, the first before the last; landmark models have a place of Debian's, too.
std::vector<fs::path> places(const std::string& given) {
    std::vector<fs::path> all = model_places(given);
    all.emplace_back("/usr/share/dlib");
    return all;
}

std::vector<Json> manifests() {
    std::vector<fs::path> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(shipped_models(), error))
        if (entry.path().extension() == ".json") files.push_back(entry.path());
    require(!files.empty(), ExitCode::unavailable, shipped_models().string(),
            ": no manifests of models: is the installation whole?");
    std::sort(files.begin(), files.end());
    std::vector<Json> found;
    for (const fs::path& file : files) {
        std::ifstream stream(file);
        found.push_back(Json::parse(stream, nullptr, false));
        require(found.back().is_object(), ExitCode::unavailable, file.string(),
                ": damaged: is the installation whole?");
    }
    return found;
}

/// The first of a file's names that exists in one of the places, or in the engine's folder there.
fs::path find(const Json& file, const std::string& folder, const std::vector<fs::path>& where) {
    std::error_code error;
    for (const fs::path& place : where)
        for (const fs::path& base : {place / folder, place})
            for (const Json& name : file["names"])
                if (const fs::path path = base / name.get<std::string>(); fs::is_regular_file(path, error)) return path;
    return {};
}

}  // namespace

int list_models(const ModelsCommand& command, const Session& session) {
    const std::vector<fs::path> where = places(command.models);
    Json document = Json::array();
    for (Json& manifest : manifests()) {
        session.say(concat(manifest["name"].get<std::string>(), ": ", manifest["what"].get<std::string>()));
        for (Json& file : manifest["files"]) {
            const fs::path path = find(file, manifest["folder"].get<std::string>(), where);
            file["found"] = path.empty() ? Json(nullptr) : Json(valid_utf8(path.string()));
            file["found_bytes"] = path.empty() ? Json(nullptr) : Json(fs::file_size(path));
            const bool optional = file.value("optional", false);
            session.say(concat("  ", path.empty() ? (optional ? "absent  " : "MISSING ") : "here    ",
                               path.empty() ? file["names"][0].get<std::string>() : one_line(path.string()), "  ",
                               path.empty() ? "" : size_text(fs::file_size(path)) + "  ",
                               file["for"].get<std::string>()));
            session.say(
                concat("            from ", file["from"].get<std::string>(), "; ", file["licence"].get<std::string>()));
        }
        document.push_back(std::move(manifest));
    }
    if (session.global().json) session.result(dump(document));
    return 0;
}

}  // namespace omnisync::command
