// Bytes under a path, without a disk: for parsers that open files.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <string>

/// Lives as long as this object.
class MemoryFile {
public:
    explicit MemoryFile(const std::string& bytes) : descriptor_(::memfd_create("fuzz", 0)) {
        if (descriptor_ < 0 || ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
            __builtin_trap();
    }
    MemoryFile(const MemoryFile&) = delete;
    MemoryFile& operator=(const MemoryFile&) = delete;
    ~MemoryFile() { ::close(descriptor_); }

    [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

private:
    int descriptor_;
};
