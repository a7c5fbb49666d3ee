// Device-only helpers: who am I, how many of us, did the launch work. Included by .cu files alone.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "kernels/types.h"
#include "omnisync/error.h"

namespace omnisync::kernels {

inline constexpr int kThreadsPerBlock = 256;

inline void check(cudaError_t code, const char* doing) {
    require(code == cudaSuccess, ExitCode::internal, "CUDA cannot ", doing, ": ", cudaGetErrorString(code));
}

/// Makes `device` current for as long as it lives: LibTorch keeps its own idea of the current device.
class DeviceGuard {
public:
    explicit DeviceGuard(int device) {
        check(cudaGetDevice(&before_), "tell its current device");
        if (device != before_) check(cudaSetDevice(device), "use the device");
    }
    ~DeviceGuard() { cudaSetDevice(before_); }
    DeviceGuard(const DeviceGuard&) = delete;
    DeviceGuard& operator=(const DeviceGuard&) = delete;

private:
    int before_ = 0;
};

__device__ inline std::int64_t thread_index() {
    return std::int64_t{blockIdx.x} * kThreadsPerBlock + static_cast<int>(threadIdx.x);
}

/// Queues `kernel(arguments...)` with at least `threads` threads (see thread_index()); none is not an error.
template <class Kernel, class... Arguments>
void launch(Kernel kernel, std::int64_t threads, Stream stream, const Arguments&... arguments) {
    if (threads == 0) return;
    const DeviceGuard guard(stream.device);
    const std::int64_t blocks = (threads + kThreadsPerBlock - 1) / kThreadsPerBlock;
    require(blocks <= 0x7fffffff, ExitCode::internal, "a CUDA launch of ", threads, " threads is too large");
    kernel<<<static_cast<unsigned>(blocks), kThreadsPerBlock, 0, static_cast<cudaStream_t>(stream.handle)>>>(
        arguments...);
    check(cudaGetLastError(), "launch a kernel");
}

}  // namespace omnisync::kernels
