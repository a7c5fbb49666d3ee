#include "support/paths.h"

#include <stdlib.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace omnisync::test {
namespace {

std::optional<fs::path> from_environment(const char* name) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return fs::path(value);
}

/// The nearest folder above this executable that `holds` accepts.
template <class Holds>
std::optional<fs::path> folder_above(Holds holds) {
    for (fs::path folder = fs::read_symlink("/proc/self/exe").parent_path();; folder = folder.parent_path()) {
        if (holds(folder)) return folder;
        if (folder == folder.parent_path()) return std::nullopt;
    }
}

std::optional<fs::path> build_folder() {
    return folder_above([](const fs::path& folder) { return fs::exists(folder / "CMakeCache.txt"); });
}

}  // namespace

fs::path command_path() {
    if (auto given = from_environment("OMNISYNC_COMMAND")) return *given;
    if (const auto build = build_folder()) {
        for (const char* place : {"bin/omnisync", "tools/omnisync/omnisync", "omnisync"}) {
            if (fs::is_regular_file(*build / place)) return *build / place;
        }
    }
    throw std::runtime_error("no omnisync beside this test: build the target omnisync or set OMNISYNC_COMMAND");
}

fs::path source_root() {
    if (auto given = from_environment("OMNISYNC_SOURCE")) return *given;
#ifdef OMNISYNC_SOURCE_DIR
    return OMNISYNC_SOURCE_DIR;
#else
    auto root = folder_above([](const fs::path& folder) { return fs::exists(folder / "include/omnisync/error.h"); });
    if (!root) throw std::runtime_error("the build folder is not inside the checkout: set OMNISYNC_SOURCE");
    return *root;
#endif
}

namespace {

std::optional<fs::path> below_shared(const char* folder, const std::string& relative) {
    const auto given = from_environment("OMNISYNC_SHARED");
    const fs::path file = (given ? *given : source_root().parent_path() / "shared") / folder / relative;
    if (!fs::exists(file)) return std::nullopt;
    return file;
}

}  // namespace

std::string example(const char* name) {
    return (source_root() / "examples" / name).string();
}

fs::path models() {
    const fs::path folder = from_environment("OMNISYNC_MODELS").value_or(source_root() / "models");
    const fs::path weights = folder / "portable" / "motion.safetensors";
    if (!fs::exists(weights)) throw std::runtime_error("no weights: " + weights.string());
    return folder;
}

std::optional<fs::path> shared_file(const std::string& relative) {
    return below_shared("media", relative);
}

std::optional<fs::path> golden_file(const std::string& relative) {
    return below_shared("golden", relative);
}

std::vector<std::string> shared_clips() {
    const auto folder = shared_file("video");
    if (!folder) return {};
    return names_in(*folder);
}

fs::path cache_folder() {
    fs::path folder;
    if (auto given = from_environment("OMNISYNC_TEST_CACHE")) {
        folder = *given;
    } else if (const auto build = build_folder()) {
        folder = *build / "test-cache";
    } else {
        folder = fs::temp_directory_path() / "omnisync-test-cache";
    }
    fs::create_directories(folder);
    return folder;
}

TempDir::TempDir(const fs::path& parent) {
    std::string pattern = (parent / "omnisync-test-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make a folder in " + parent.string());
    path_ = pattern;
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

std::string read_bytes(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& file, const std::string& bytes) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace omnisync::test
