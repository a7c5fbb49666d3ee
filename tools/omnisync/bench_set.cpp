#include "bench_set.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "base/text.h"
#include "csv_table.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

bool is_video_name(const fs::path& path) {
    static constexpr std::array<std::string_view, 16> kExtensions{".mp4", ".mov",  ".m4v", ".mkv", ".webm", ".avi",
                                                                  ".mpg", ".mpeg", ".ts",  ".mts", ".m2ts", ".flv",
                                                                  ".wmv", ".3gp",  ".ogv", ".mxf"};
    std::string extension = path.extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

bool is_hidden(const fs::path& path) {
    return path.filename().string().starts_with('.');
}

/// Regular files in a folder (`deep`: and below it), sorted, hidden ones left out.
std::vector<fs::path> files_in(const fs::path& folder, bool deep) {
    std::vector<fs::path> files;
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (is_hidden(entry->path()) || !deep) entry.disable_recursion_pending();
        if (!is_hidden(entry->path()) && entry->is_regular_file()) files.push_back(entry->path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// The files NAME.* in a folder.
std::vector<fs::path> named(const fs::path& folder, const std::string& name) {
    std::vector<fs::path> found;
    for (const fs::path& file : files_in(folder, false))
        if (file.stem() == name || file.filename() == name) found.push_back(file);
    return found;
}

std::string problem_of(const BenchPair& pair) {
    for (const std::string& path : {pair.video, pair.speech, pair.reference}) {
        std::error_code unknown;
        if (!path.empty() && !fs::is_regular_file(path, unknown)) return concat("there is no file '", path, "'");
    }
    return "";
}

[[noreturn]] void refuse(const std::string& csv, int line, const std::string& what, const std::string& hint = {}) {
    throw Error(ExitCode::bad_data, concat(csv, ':', line, ": ", what), hint);
}

/// Beside the same path of the video, else under its bare name, else the only file there is when `lonely` may be it.
std::string companion(const fs::path& folder, const fs::path& relative, bool lonely) {
    for (const fs::path& place : {folder / relative.parent_path(), folder}) {
        const auto found = named(place, relative.stem().string());
        if (!found.empty()) return found.front().string();
    }
    const auto all = lonely ? files_in(folder, true) : std::vector<fs::path>{};
    return all.size() == 1 ? all.front().string() : "";
}

std::string group_of(const fs::path& relative) {
    if (!relative.has_parent_path()) return "";
    const std::string group = relative.begin()->string();
    return group == "stylized" ? "stylised" : group;
}

}  // namespace

std::vector<BenchPair> read_pairs(const std::string& csv) {
    const fs::path folder = fs::path(csv).parent_path();
    std::map<std::string, int> lines;
    std::vector<BenchPair> pairs;
    for (const CsvRow& row : read_csv(csv, {"video", "speech"}, {"reference", "group", "name"})) {
        const auto path = [&](std::size_t i) { return row.fields[i].empty() ? "" : (folder / row.fields[i]).string(); };
        BenchPair pair{row.fields[4], row.fields[3], path(0), path(1), path(2), {}};
        if (pair.name.empty())
            pair.name = fs::path(pair.video).stem().string() + "." + fs::path(pair.speech).stem().string();
        const auto [other, is_new] = lines.emplace(pair.name, row.line);
        if (!is_new)
            refuse(csv, row.line, concat("the name '", one_line(pair.name), "' stands in line ", other->second, " too"),
                   "a column 'name' tells pairs apart");
        pair.problem = problem_of(pair);
        pairs.push_back(std::move(pair));
    }
    require(!pairs.empty(), ExitCode::bad_data, csv, ": there is no pair in it");
    return pairs;
}

std::vector<BenchPair> read_aigc_lipsync(const std::string& folder) {
    const fs::path root(folder);
    require(fs::is_directory(root), ExitCode::no_input, "there is no folder '", folder, "'");
    if (fs::exists(root / "manifest.csv")) return read_pairs((root / "manifest.csv").string());
    const fs::path videos = root / "videos";
    std::vector<BenchPair> pairs;
    for (const fs::path& file : files_in(videos, true)) {
        if (!is_video_name(file)) continue;
        const fs::path relative = file.lexically_relative(videos);
        BenchPair pair;
        pair.name = (relative.parent_path() / relative.stem()).string();
        pair.group = group_of(relative);
        pair.video = file.string();
        pair.speech = companion(root / "speech", relative, true);
        pair.reference = companion(root / "reference", relative, false);
        if (pair.speech.empty())
            pair.problem = concat("there is no speech for it in '", (root / "speech").string(), "'");
        if (!pairs.empty() && pairs.back().name == pair.name)
            throw Error(ExitCode::bad_data, concat("two videos are called '", pair.name, "' but for their extensions"),
                        "rename one, or name the pairs in a manifest.csv");
        pairs.push_back(std::move(pair));
    }
    if (pairs.empty())
        throw Error(ExitCode::no_input, concat("there is no video in '", videos.string(), "'"),
                    "docs/benchmark.md tells the layout; --manifest maps any other");
    return pairs;
}

std::map<std::string, Verdict> read_verdicts(const std::string& csv, const std::vector<BenchPair>& pairs) {
    std::map<std::string, Verdict> verdicts;
    for (const CsvRow& row : read_csv(csv, {"name"}, {"verdict", "note"})) {
        const std::string& name = row.fields[0];
        const std::string& word = row.fields[1];
        if (std::none_of(pairs.begin(), pairs.end(), [&](const BenchPair& pair) { return pair.name == name; }))
            refuse(csv, row.line, concat("no pair of the set is called '", one_line(name), "'"));
        if (!word.empty() && word != "pass" && word != "fail")
            refuse(csv, row.line, concat("a verdict is pass, fail or empty, not '", one_line(word), "'"));
        if (verdicts.contains(name)) refuse(csv, row.line, concat("a second verdict on '", one_line(name), "'"));
        verdicts[name] = {word.empty() ? std::nullopt : std::optional(word == "pass"), row.fields[2]};
    }
    return verdicts;
}

std::optional<std::string> output_of_pair(const std::string& folder, const std::string& name) {
    const fs::path place = fs::path(folder) / fs::path(name).relative_path();
    std::vector<fs::path> found;
    for (const fs::path& file : files_in(place.parent_path(), false))
        if (is_video_name(file) && file.stem() == place.filename()) found.push_back(file);
    if (found.empty()) return std::nullopt;
    if (found.size() > 1)
        fail(ExitCode::bad_data, "'", folder, "' has several results for '", name, "': '", found[0].filename().string(),
             "', '", found[1].filename().string(), "'");
    return found.front().string();
}

}  // namespace omnisync::command
