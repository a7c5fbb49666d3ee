// A file that appears under its name only when it is complete.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace omnisync {

/// Whether two paths lead to one file, through whatever links; of files that are not there yet, whether they would.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);

/// Writes to a hidden file beside the target (".NAME.RANDOM.part") and renames it into place in publish().
/// Destroying it unpublished removes the hidden file; only a process killed with SIGKILL leaves one behind.
class StagedFile {
public:
    /// Checks all that can be checked before work starts. Throws Error: cannot_create (folder missing or not writable,
    /// target is a folder or a device, exists and !overwrite), not_allowed (target is one of `inputs`, also by link).
    StagedFile(const std::string& target, bool overwrite, const std::vector<std::string>& inputs);
    StagedFile(const StagedFile&) = delete;
    StagedFile& operator=(const StagedFile&) = delete;
    ~StagedFile();

    /// Where to write until publish(). The file exists and is empty.
    [[nodiscard]] const std::string& staging_path() const { return staging_; }
    [[nodiscard]] int descriptor() const { return descriptor_; }
    [[nodiscard]] const std::string& target() const { return target_; }

    /// Appends all of `bytes`. Throws Error(io).
    void write(std::string_view bytes);

    /// fsync, rename (never over a file that appeared meanwhile unless `overwrite`), fsync of the folder.
    /// Throws Error(io | cannot_create).
    void publish();

private:
    std::string target_;
    std::string staging_;
    bool overwrite_;
    int descriptor_ = -1;
    bool published_ = false;
};

/// Removes the hidden files of every StagedFile alive in this process. For a signal handler about to end the process:
/// async-signal-safe, the objects are not usable afterwards.
void discard_staged_files_from_signal() noexcept;

}  // namespace omnisync
