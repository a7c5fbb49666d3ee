#include "disk_cache.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "base/log.h"
#include "base/read_whole.h"
#include "base/sha256.h"
#include "content_key.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::array<const char*, 3> kKinds{"analyses", "results", "hashes"};

struct Entry {
    fs::path path;
    std::uint64_t bytes = 0;
    fs::file_time_type used;
};

/// Files of the cache's own making: a key's hexadecimal digits first, or what a killed process left of one.
bool is_own(const fs::path& path) {
    std::string name = path.filename().string();
    if (name.starts_with('.') && name.ends_with(".part")) name.erase(0, 1);
    return name.size() > 64 && std::all_of(name.begin(), name.begin() + 64, [](char letter) {
               return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
           });
}

std::vector<Entry> entries_in(const fs::path& folder) {
    std::vector<Entry> entries;
    std::error_code error;
    for (fs::directory_iterator file(folder, error), end; !error && file != end; file.increment(error)) {
        // Another process may remove it meanwhile.
        std::error_code gone;
        Entry entry{file->path(), file->file_size(gone), {}};
        if (gone || !is_own(entry.path)) continue;
        entry.used = file->last_write_time(gone);
        if (!gone) entries.push_back(std::move(entry));
    }
    return entries;
}

void mark_used(const fs::path& path) {
    ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

void publish(const fs::path& path, const std::string& text) {
    StagedFile file(path.string(), true, {});
    file.write(text);
    file.publish();
}

/// Does `work`; what goes wrong costs the next run time and nothing else.
template <class Work>
void try_to_keep(const fs::path& folder, const Work& work) {
    try {
        fs::create_directories(folder);
        ::chmod(folder.parent_path().c_str(), 0700);  // faces are nobody else's business
        work();
    } catch (const Error& error) {
        log::debug("nothing is kept in the cache: ", error.what());
    } catch (const fs::filesystem_error& error) {
        log::debug("nothing is kept in the cache: ", error.what());
    }
}

std::string environment(const char* name) {
    const char* const text = std::getenv(name);
    return text != nullptr ? text : "";
}

}  // namespace

std::optional<DiskCache> DiskCache::of(const Global& global) {
    if (global.no_cache) return std::nullopt;
    const auto most = static_cast<std::uint64_t>(global.cache_mib) << 20U;
    if (!global.cache.empty()) return DiskCache(global.cache, most);
    if (const std::string place = environment("XDG_CACHE_HOME"); fs::path(place).is_absolute())
        return DiskCache(fs::path(place) / "omnisync", most);
    if (const std::string home = environment("HOME"); !home.empty())
        return DiskCache(fs::path(home) / ".cache/omnisync", most);
    return std::nullopt;
}

DiskCache::DiskCache(fs::path folder, std::uint64_t most_bytes) : folder_(std::move(folder)), most_bytes_(most_bytes) {}

std::optional<Analysis> DiskCache::find_analysis(const std::string& key) const {
    const fs::path path = folder_ / kKinds[0] / (key + ".osa");
    std::error_code unknown;
    if (!fs::is_regular_file(path, unknown)) return std::nullopt;
    try {
        Analysis analysis = load_analysis(path.string());
        mark_used(path);
        return analysis;
    } catch (const Error& error) {
        log::debug("the cache's entry is not used: ", error.what());
        return std::nullopt;
    }
}

void DiskCache::keep_analysis(const std::string& key, const Analysis& analysis) const {
    const fs::path place = folder_ / kKinds[0];
    try_to_keep(place, [&] { save_analysis(analysis, (place / (key + ".osa")).string(), true); });
    make_room();
}

std::optional<DiskCache::Result> DiskCache::find_result(const std::string& key) const {
    const fs::path place = folder_ / kKinds[1];
    const Json entry = Json::parse(read_whole(place / (key + ".json")).value_or(""), nullptr, false);
    if (!entry.is_object() || !entry.value("report", Json(nullptr)).is_object()) return std::nullopt;
    Result result{place / entry.value("file", "absent"), entry.value("sha256", ""), entry["report"]};
    try {
        // Read to its end: a result that was harmed is made again.
        if (key_of_file(result.file.string()).sha256 != result.sha256) return std::nullopt;
    } catch (const Error&) {
        return std::nullopt;
    }
    mark_used(place / (key + ".json"));
    mark_used(result.file);
    return result;
}

void DiskCache::keep_result(const std::string& key, const std::string& file, const Json& report) const {
    const fs::path place = folder_ / kKinds[1];
    try_to_keep(place, [&] {
        const std::string sum = key_of_file(file).sha256;
        // Named by its contents too: two processes whose encoders differ do not meet in one file.
        const std::string name = key + "." + sum.substr(0, 16) + ".data";
        StagedFile copy((place / name).string(), true, {});
        clone_file(file, copy);
        copy.publish();
        publish(place / (key + ".json"), dump({{"file", name}, {"sha256", sum}, {"report", report}}) + "\n");
    });
    make_room();
}

std::string DiskCache::hash_of_model(const std::string& path) const {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return "";
    const std::string key = hex(sha256(concat(path, '\n', status.st_size, '\n', status.st_ino, '\n',
                                              status.st_mtim.tv_sec, '.', status.st_mtim.tv_nsec)));
    const fs::path place = folder_ / kKinds[2];
    const fs::path kept = place / (key + ".sha256");
    std::string hash = read_whole(kept).value_or("");
    if (hash.size() == 64) return hash;
    hash = key_of_file(path).sha256;
    try_to_keep(place, [&] { publish(kept, hash); });
    return hash;
}

void DiskCache::make_room() const {
    std::vector<Entry> all;
    for (const char* kind : kKinds)
        for (Entry& entry : entries_in(folder_ / kind)) all.push_back(std::move(entry));
    std::uint64_t bytes = 0;
    const auto now = fs::file_time_type::clock::now();
    for (Entry& entry : all) {
        bytes += entry.bytes;
        // What a killed process left; one that is being written is younger.
        if (entry.path.filename().string().starts_with('.') && now - entry.used > 24h) entry.used = {};
    }
    std::sort(all.begin(), all.end(), [](const Entry& a, const Entry& b) { return a.used < b.used; });
    for (const Entry& entry : all) {
        const bool leftover = entry.used == fs::file_time_type{};
        if (bytes <= most_bytes_ && !leftover) break;
        std::error_code gone;
        fs::remove(entry.path, gone);
        bytes -= entry.bytes;
    }
}

std::vector<DiskCache::Content> DiskCache::contents() const {
    std::vector<Content> all;
    for (const char* kind : kKinds) {
        Content content{kind, 0, 0};
        for (const Entry& entry : entries_in(folder_ / kind)) {
            ++content.files;
            content.bytes += entry.bytes;
        }
        all.push_back(content);
    }
    return all;
}

std::uint64_t DiskCache::clear() const {
    std::uint64_t bytes = 0;
    for (const char* kind : kKinds)
        for (const Entry& entry : entries_in(folder_ / kind)) {
            std::error_code failed;
            if (fs::remove(entry.path, failed)) bytes += entry.bytes;
        }
    return bytes;
}

void clone_file(const fs::path& from, const StagedFile& copy) {
    const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    require(source >= 0, ExitCode::no_input, "cannot open '", from.string(),
            "': ", std::generic_category().message(errno));
    bool done = ::ioctl(copy.descriptor(), FICLONE, source) == 0;
    ssize_t moved = 1;
    while (!done && moved > 0) moved = ::copy_file_range(source, nullptr, copy.descriptor(), nullptr, 1U << 30U, 0);
    done = done || moved == 0;
    const int error = errno;
    ::close(source);
    require(done, ExitCode::io, "cannot copy '", from.string(), "': ", std::generic_category().message(error));
}

}  // namespace omnisync::command
