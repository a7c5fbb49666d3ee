// What was computed before, on disk: found again by a key of all that it was computed from. Nothing in it is needed,
// and nothing that goes wrong with it is an error: an entry that is missing, damaged or half written counts as not
// there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/staged_file.h"
#include "command.h"
#include "omnisync/analysis.h"
#include "report.h"

namespace omnisync::command {

/// Entries appear whole (written beside, renamed) and bear checksums, so that any number of processes may use one
/// folder, and any of them may be killed at any time.
class DiskCache {
public:
    /// At --cache, else $XDG_CACHE_HOME/omnisync, else ~/.cache/omnisync; nothing with --no-cache or without any of
    /// them.
    [[nodiscard]] static std::optional<DiskCache> of(const Global& global);
    DiskCache(std::filesystem::path folder, std::uint64_t most_bytes);

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    [[nodiscard]] std::optional<Analysis> find_analysis(const std::string& key) const;
    void keep_analysis(const std::string& key, const Analysis& analysis) const;

    /// A finished output, and the report that was made with it.
    struct Result {
        std::filesystem::path file;
        std::string sha256;
        Json report;
    };
    [[nodiscard]] std::optional<Result> find_result(const std::string& key) const;
    void keep_result(const std::string& key, const std::string& file, const Json& report) const;

    /// SHA-256 of a model file, kept by its path, size, inode and time of change: models are large and hardly change.
    /// Inputs are never judged by these.
    [[nodiscard]] std::string hash_of_model(const std::string& path) const;

    struct Content {
        std::string kind;  ///< "analyses", "results", "hashes"
        std::size_t files = 0;
        std::uint64_t bytes = 0;
    };
    [[nodiscard]] std::vector<Content> contents() const;
    /// Removes what the cache wrote, and nothing else; returns how many bytes that were.
    std::uint64_t clear() const;

private:
    void make_room() const;

    std::filesystem::path folder_;
    std::uint64_t most_bytes_;
};

/// Fills `copy`, which is empty, with the bytes of `from`: sharing them on file systems that can. Throws Error(io,
/// no_input).
void clone_file(const std::filesystem::path& from, const StagedFile& copy);

}  // namespace omnisync::command
