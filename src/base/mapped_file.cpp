#include "base/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "omnisync/error.h"

namespace omnisync {
namespace {

// Whole pages that hold the range, or (inner) that the range holds.
void advise(const void* data, std::size_t offset, std::size_t size, bool inner, int advice) {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t begin = (inner ? offset + page - 1 : offset) / page * page;
    const std::size_t end = inner ? (offset + size) / page * page : offset + size;
    if (begin >= end) return;
    // Advice only: what the system makes of it changes no result.
    (void)::madvise(const_cast<char*>(static_cast<const char*>(data)) + begin, end - begin, advice);
}

}  // namespace

MappedFile::MappedFile(const std::string& path, Access access) : path_(path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) fail(ExitCode::no_input, path, ": ", std::strerror(errno));
    struct stat status {};
    const bool regular = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
    void* mapped = nullptr;
    if (regular && status.st_size > 0) {
        size_ = static_cast<std::size_t>(status.st_size);
        // A mapping that cannot be written to counts toward no limit of memory, not even where overcommit is off.
        const int protection = access == Access::read ? PROT_READ : PROT_READ | PROT_WRITE;
        mapped = ::mmap(nullptr, size_, protection, MAP_PRIVATE | MAP_NORESERVE, file, 0);
    }
    const int why = errno;
    ::close(file);
    require(regular, ExitCode::no_input, path, ": not a file");
    require(size_ > 0, ExitCode::bad_data, path, ": the file is empty");
    if (mapped == MAP_FAILED) fail(ExitCode::no_input, path, ": cannot be mapped: ", std::strerror(why));
    data_ = mapped;
}

MappedFile::~MappedFile() {
    if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::expect(std::size_t offset, std::size_t size) const {
    advise(data_, offset, size, false, MADV_WILLNEED);
}

void MappedFile::release(std::size_t offset, std::size_t size) const {
    advise(data_, offset, size, true, MADV_DONTNEED);
}

}  // namespace omnisync
