#include "batch/files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "omnisync/analysis.h"
#include "omnisync/error.h"

namespace omnisync::batch {

std::optional<FileMark> glance(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
    constexpr std::int64_t kSecond = 1'000'000'000;
    return FileMark{path, status.st_size, status.st_mtim.tv_sec * kSecond + status.st_mtim.tv_nsec, {}};
}

FileMark mark_file(const std::string& path, const FileMark* known, const std::function<bool()>& stop) {
    auto mark = glance(path);
    if (!mark) {
        struct stat status {};
        const bool there = ::stat(path.c_str(), &status) == 0;
        fail(ExitCode::no_input, "cannot read '", path,
             "': ", there ? "it is not a regular file" : std::generic_category().message(errno));
    }
    if (known && known->path == path && known->bytes == mark->bytes && known->changed_ns == mark->changed_ns)
        return *known;
    mark->sha256 = key_of_file(path, stop).sha256;
    return *mark;
}

bool still_holds(const FileMark& mark) {
    const auto now = glance(mark.path);
    if (!now || now->bytes != mark.bytes) return false;
    return now->changed_ns == mark.changed_ns || key_of_file(mark.path, {}).sha256 == mark.sha256;
}

bool put_in_place(const std::string& from, const std::string& to, bool replace) {
    int result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), replace ? 0U : RENAME_NOREPLACE);
    if (result != 0 && errno == EINVAL && !replace) {
        // A file system without RENAME_NOREPLACE (NFS): link() also refuses an existing name.
        result = ::link(from.c_str(), to.c_str());
        const int error = errno;
        struct stat status {};
        // The answer of a server may be lost though it did what it was asked.
        if (result != 0 && ::stat(from.c_str(), &status) == 0 && status.st_nlink == 2) result = 0;
        if (result == 0) ::unlink(from.c_str());
        errno = error;
    }
    if (result != 0 && errno == EEXIST) return false;
    require(result == 0, ExitCode::cannot_create, "cannot put '", to,
            "' in place: ", std::generic_category().message(errno));
    const std::string folder = std::filesystem::path(to).parent_path().string();
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        ::fsync(descriptor);
        ::close(descriptor);
    }
    return true;
}

void remove_folder(const std::string& path) {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
}

}  // namespace omnisync::batch
