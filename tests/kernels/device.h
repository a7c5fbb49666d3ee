// The little of CUDA that checks need. device_cuda.cu has it, device_none.cpp says that it is absent.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace kernelcheck {

/// Why no device can be used; empty when one can.
[[nodiscard]] const std::string& device_absent();

/// Device memory. Throws Error when there is none.
class DeviceMemory {
public:
    explicit DeviceMemory(std::size_t bytes);
    [[nodiscard]] void* data() const { return data_.get(); }
    void upload(const void* from, std::size_t bytes);
    void download(void* to, std::size_t bytes) const;  ///< waits for all work first; throws Error when some failed

private:
    std::unique_ptr<void, void (*)(void*)> data_;
};

/// Median seconds of one call over `repeats`, measured by events on the default stream, after a warm-up.
[[nodiscard]] double device_seconds(int repeats, const std::function<void()>& queue);

/// What a copy of 512 MiB moves, bytes read and written a second: the ceiling of memory-bound kernels, measured as they
/// are.
[[nodiscard]] double device_copy_speed();

}  // namespace kernelcheck
