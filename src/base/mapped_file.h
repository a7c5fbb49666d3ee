// A whole file in memory without reading it: pages come from the disk when they are touched.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace omnisync {

/// Mapped privately: the file is never written to. One that is cut short while it is mapped ends the process (SIGBUS).
class MappedFile {
public:
    enum class Access {
        read,          ///< needs no memory of its own, whatever the file's size: for weights larger than memory
        copy_on_write  ///< may be written to; pages that are written become this process's own
    };

    /// Throws Error: no_input (missing, not a file, cannot be mapped), bad_data (empty).
    explicit MappedFile(const std::string& path, Access access = Access::read);
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile();

    [[nodiscard]] std::string_view bytes() const { return {static_cast<const char*>(data_), size_}; }
    /// For Access::copy_on_write.
    [[nodiscard]] char* data() const { return static_cast<char*>(data_); }
    [[nodiscard]] const std::string& path() const { return path_; }

    /// Tells the system that these bytes will be read soon, or that they are done with and need no memory (not for
    /// Access::copy_on_write: what was written there would be lost).
    void expect(std::size_t offset, std::size_t size) const;
    void release(std::size_t offset, std::size_t size) const;

private:
    std::string path_;
    void* data_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace omnisync
