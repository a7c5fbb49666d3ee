// A folder for files that nobody is to see.
#pragma once

#include <filesystem>
#include <string>

namespace omnisync::command {

/// A new folder below the system's folder for temporary files (TMPDIR), removed with all that is in it.
class ScratchFolder {
public:
    /// Throws Error(cannot_create).
    explicit ScratchFolder(const std::string& name);
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

}  // namespace omnisync::command
