#include "base/staged_file.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <system_error>

#include "omnisync/error.h"

namespace omnisync {
namespace {

namespace fs = std::filesystem;

// Paths of live staging files, readable from a signal handler: fixed slots, each owned by one StagedFile.
constexpr std::size_t kSlots = 16;
std::array<std::atomic<const char*>, kSlots> live_paths{};

void remember(const char* path) {
    for (auto& slot : live_paths) {
        const char* empty = nullptr;
        if (slot.compare_exchange_strong(empty, path)) return;
    }
}

void forget(const char* path) {
    for (auto& slot : live_paths) {
        const char* mine = path;
        if (slot.compare_exchange_strong(mine, nullptr)) return;
    }
}

std::string reason(int error) {
    return std::generic_category().message(error);
}

std::string folder_of(const std::string& target) {
    const std::string folder = fs::path(target).parent_path().string();
    return folder.empty() ? "." : folder;
}

// The file that a symbolic link names in the end, which may not exist yet.
std::string resolved(const std::string& target) {
    constexpr int kMostLinks = 40;
    fs::path path = target;
    std::error_code error;
    for (int i = 0; i < kMostLinks && fs::is_symlink(path, error); ++i) {
        const fs::path next = fs::read_symlink(path, error);
        if (error) break;
        path = next.is_absolute() ? next : path.parent_path() / next;
    }
    return path.string();
}

std::string staging_name(const std::string& target) {
    std::random_device random;
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%08x%08x", random(), random());
    // The target's name may be as long as the file system allows; keep the head of it for people who find a leftover.
    const std::string name = fs::path(target).filename().string().substr(0, 150);
    return (fs::path(folder_of(target)) / concat(".", name, ".", text.data(), ".part")).string();
}

void check_target(const std::string& target, bool overwrite, const std::vector<std::string>& inputs) {
    struct stat folder {};
    require(!target.empty() && target.back() != '/', ExitCode::cannot_create, "'", target, "' is not a file name");
    if (::stat(folder_of(target).c_str(), &folder) != 0 || !S_ISDIR(folder.st_mode))
        throw Error(ExitCode::cannot_create, concat("the output folder '", folder_of(target), "' does not exist"),
                    "create it first");
    struct stat existing {};
    if (::stat(target.c_str(), &existing) != 0) return;
    for (const std::string& input : inputs)
        if (same_file(target, input))
            throw Error(ExitCode::not_allowed, concat("the output '", target, "' is the input '", input, "'"),
                        "an input is never overwritten; choose another name");
    require(!S_ISDIR(existing.st_mode), ExitCode::cannot_create, "the output '", target, "' is a folder");
    require(S_ISREG(existing.st_mode), ExitCode::cannot_create, "the output '", target, "' is not a regular file");
    if (!overwrite)
        throw Error(ExitCode::cannot_create, concat("the output '", target, "' exists"), "--force replaces it");
}

void sync_folder(const std::string& folder) {
    const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor < 0)
        return;  // a folder we may write but not read: the rename stands, only its durability is unknown
    ::fsync(descriptor);
    ::close(descriptor);
}

}  // namespace

bool same_file(const std::string& a, const std::string& b) {
    std::error_code failed;
    if (fs::exists(a, failed) && fs::exists(b, failed)) return fs::equivalent(a, b, failed) && !failed;
    const fs::path first = fs::weakly_canonical(fs::absolute(a, failed), failed);
    const fs::path second = fs::weakly_canonical(fs::absolute(b, failed), failed);
    return !failed && first == second;
}

StagedFile::StagedFile(const std::string& target, bool overwrite, const std::vector<std::string>& inputs)
    : target_(target), overwrite_(overwrite) {
    check_target(target, overwrite, inputs);
    // Write through a symbolic link to the file it names, instead of replacing the link.
    target_ = resolved(target_);
    staging_ = staging_name(target_);
    descriptor_ = ::open(staging_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const int error = errno;
    require(descriptor_ >= 0, error == ENOSPC || error == EDQUOT ? ExitCode::io : ExitCode::cannot_create,
            "cannot create a file in '", folder_of(target_), "': ", reason(error));
    remember(staging_.c_str());
}

StagedFile::~StagedFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
    if (!published_) ::unlink(staging_.c_str());
    forget(staging_.c_str());
}

void StagedFile::write(std::string_view bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t written = ::write(descriptor_, bytes.data() + done, bytes.size() - done);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) fail(ExitCode::io, "cannot write '", target_, "': ", reason(errno));
        done += static_cast<std::size_t>(written);
    }
}

void StagedFile::publish() {
    if (::fsync(descriptor_) != 0) fail(ExitCode::io, "cannot store '", target_, "': ", reason(errno));
    struct stat existing {};
    if (overwrite_ && ::stat(target_.c_str(), &existing) == 0) ::fchmod(descriptor_, existing.st_mode & 07777);
    const unsigned flags = overwrite_ ? 0U : RENAME_NOREPLACE;
    int result = ::renameat2(AT_FDCWD, staging_.c_str(), AT_FDCWD, target_.c_str(), flags);
    if (result != 0 && errno == EINVAL && !overwrite_) {
        // A file system without RENAME_NOREPLACE: link() also refuses an existing name.
        result = ::link(staging_.c_str(), target_.c_str());
        if (result == 0) ::unlink(staging_.c_str());
    }
    const int error = errno;
    if (result != 0 && error == EEXIST)
        throw Error(ExitCode::cannot_create, concat("the output '", target_, "' appeared while we worked"),
                    "--force replaces it");
    require(result == 0, ExitCode::cannot_create, "cannot put '", target_, "' in place: ", reason(error));
    published_ = true;
    sync_folder(folder_of(target_));
}

void discard_staged_files_from_signal() noexcept {
    for (auto& slot : live_paths)
        if (const char* path = slot.load()) ::unlink(path);
}

}  // namespace omnisync
