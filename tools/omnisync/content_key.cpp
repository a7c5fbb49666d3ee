#include "content_key.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <vector>

#include "base/module.h"
#include "base/sha256.h"
#include "engine_at_work.h"
#include "omnisync/analysis.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargest = std::uintmax_t{1} << 30U;  // bytes: a few seconds of hashing
constexpr std::streamsize kEnd = 1 << 20;

/// Of a file that is too large to be read whole each time.
std::string sampled_hash(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    std::string bytes(kEnd, '\0');
    Sha256 sum;
    sum.add(std::to_string(fs::file_size(file)));
    struct stat status {};
    if (::stat(file.c_str(), &status) == 0) sum.add(concat(' ', status.st_mtim.tv_sec, '.', status.st_mtim.tv_nsec));
    in.read(bytes.data(), kEnd);
    sum.add(bytes);
    in.seekg(-kEnd, std::ios::end);
    in.read(bytes.data(), kEnd);
    require(!in.fail(), ExitCode::io, "cannot read '", file.string(), "'");
    sum.add(bytes);
    return hex(sum.finish());
}

}  // namespace

const std::string& FileHashes::of(const std::string& path) {
    const auto found = known_.find(path);
    if (found != known_.end()) return found->second;
    return known_.emplace(path, key_of_file(path, stop_requested).sha256).first->second;
}

std::string weights_hash(const std::string& folder) {
    std::vector<fs::path> files;
    std::error_code absent;
    for (const auto& entry : fs::directory_iterator(folder, absent))
        if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    Sha256 sum;
    for (const fs::path& file : files) {
        const bool large = fs::file_size(file) > kLargest;
        const std::string hash = large ? sampled_hash(file) : key_of_file(file.string(), stop_requested).sha256;
        sum.add(concat(file.filename().string(), '\0', hash, '\n'));
    }
    return hex(sum.finish());
}

Json program_key() {
    Json key = build_json();
    const std::string commit = key.value("commit", "");
    if (!commit.ends_with('+') && commit != "unknown") return key;
    std::vector<std::string> libraries;
    for (const auto& entry : fs::directory_iterator(folder_of_base_library())) {
        struct stat status {};
        if (entry.path().extension() == ".so" && ::stat(entry.path().c_str(), &status) == 0)
            libraries.push_back(concat(entry.path().filename().string(), ' ', status.st_size, ' ',
                                       status.st_mtim.tv_sec, '.', status.st_mtim.tv_nsec));
    }
    std::sort(libraries.begin(), libraries.end());
    key["libraries"] = libraries;
    return key;
}

std::string key_of(const Json& document) {
    return hex(sha256(document.dump(-1, ' ', false, Json::error_handler_t::replace)));
}

Json dub_settings_key(const DubCommand& command, FileHashes& hashes) {
    Json settings = dub_options_json(command);
    for (const char* name : {"plan", "analysis", "models"}) settings.erase(name);
    if (!command.segments.empty()) settings["segments"] = hashes.of(command.segments);
    if (command.speaker && command.speaker->who == SpeakerChoice::Who::picture)
        settings["speaker"] = hashes.of(command.speaker->text);
    const bool has_weights = command.engine != "none";
    return {{"program", program_key()},
            {"settings", settings},
            {"weights", has_weights ? Json(weights_hash(engine_weights(command))) : Json(nullptr)}};
}

}  // namespace omnisync::command
