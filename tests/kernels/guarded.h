// Memory that crashes when a kernel leaves it and shows when a kernel writes between its rows.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

namespace kernelcheck {

inline constexpr std::uint8_t kPoison = 0xA5;

enum class Flush { start, end };  ///< which end of the memory touches a forbidden page

/// `bytes` of poison between two forbidden pages. What remains of the pages is poison too; intact() tells whether it
/// is.
class Guarded {
public:
    Guarded(std::size_t bytes, Flush flush) : bytes_(bytes) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t inner = (bytes + page - 1) / page * page;
        mapped_ = inner + 2 * page;
        void* map = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (map == MAP_FAILED) throw std::bad_alloc();
        map_ = static_cast<std::uint8_t*>(map);
        begin_ = map_ + page;
        end_ = begin_ + inner;
        if (inner > 0 && mprotect(begin_, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        std::memset(begin_, kPoison, inner);
        data_ = flush == Flush::start ? begin_ : end_ - bytes;
    }
    ~Guarded() {
        if (map_ != nullptr) munmap(map_, mapped_);
    }
    Guarded(Guarded&& other) noexcept
        : map_(std::exchange(other.map_, nullptr)),
          begin_(other.begin_),
          end_(other.end_),
          data_(other.data_),
          mapped_(other.mapped_),
          bytes_(other.bytes_) {}
    Guarded& operator=(Guarded&&) = delete;

    [[nodiscard]] std::uint8_t* data() const { return data_; }
    [[nodiscard]] std::size_t bytes() const { return bytes_; }
    [[nodiscard]] bool intact() const {
        const auto poison = [](std::uint8_t byte) { return byte == kPoison; };
        return std::all_of(begin_, data_, poison) && std::all_of(data_ + bytes_, end_, poison);
    }

private:
    std::uint8_t* map_ = nullptr;
    std::uint8_t* begin_ = nullptr;
    std::uint8_t* end_ = nullptr;
    std::uint8_t* data_ = nullptr;
    std::size_t mapped_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace kernelcheck
