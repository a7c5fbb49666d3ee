// Device-only helpers of the kernels that work on rows: packs of neighbours in one access, sums over a block.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "kernels/launch.cuh"

namespace omnisync::kernels {

inline constexpr int kPackBytes = 16;                    // the widest access of a thread
inline constexpr std::int64_t kSharedBytes = 48 * 1024;  // what a block has without asking
inline constexpr int kMostThreads = 256;

template <int N>
struct Pack {
    float v[N];
};

template <int N>
__device__ Pack<N> all(float value) {
    Pack<N> pack;
    for (int i = 0; i < N; ++i) pack.v[i] = value;
    return pack;
}

/// N elements; with N > 1 they lie at a multiple of their size together, up to 16 bytes.
template <int N, class T>
__device__ Pack<N> load_pack(const T* from) {
    constexpr int kBytes = N * sizeof(T) < kPackBytes ? N * sizeof(T) : kPackBytes;
    struct alignas(kBytes) Raw {
        T values[kBytes / sizeof(T)];
    };
    constexpr int kEach = kBytes / sizeof(T);
    Pack<N> pack;
    for (int first = 0; first < N; first += kEach) {
        const Raw raw = *reinterpret_cast<const Raw*>(from + first);
        for (int i = 0; i < kEach; ++i) pack.v[first + i] = to_float(raw.values[i]);
    }
    return pack;
}

template <int N, class T>
__device__ void store_pack(T* to, const Pack<N>& pack) {
    constexpr int kBytes = N * sizeof(T) < kPackBytes ? N * sizeof(T) : kPackBytes;
    struct alignas(kBytes) Raw {
        T values[kBytes / sizeof(T)];
    };
    constexpr int kEach = kBytes / sizeof(T);
    for (int first = 0; first < N; first += kEach) {
        Raw raw;
        for (int i = 0; i < kEach; ++i) raw.values[i] = from_float<T>(pack.v[first + i]);
        *reinterpret_cast<Raw*>(to + first) = raw;
    }
}

/// Calls body(first) for this thread's packs of [0, size); size is a multiple of N.
template <int N, class Body>
__device__ void for_packs(std::int64_t size, Body body) {
    for (std::int64_t i = std::int64_t{threadIdx.x} * N; i < size; i += std::int64_t{blockDim.x} * N) body(i);
}

/// The sum over the lanes of a warp, for all of them.
__device__ inline float warp_sum(float value) {
    for (int other = 16; other > 0; other /= 2) value += __shfl_xor_sync(0xffffffffU, value, other);
    return value;
}

/// The sum over all threads of the block, for all of them. Blocks are whole warps.
__device__ inline float block_sum(float value) {
    __shared__ float warps[kMostThreads / 32];
    value = warp_sum(value);
    __syncthreads();  // the sum before may still be read
    if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = value;
    __syncthreads();
    float total = 0;
    for (unsigned i = 0; i < blockDim.x / 32; ++i) total += warps[i];
    return total;
}

/// Whether packs of `pack` elements of `size` bytes may start at `data` plus any multiple of `strides`.
inline bool whole_packs(const void* data, int pack, std::size_t size, std::initializer_list<std::int64_t> strides) {
    if (data == nullptr) return true;
    const std::size_t bytes = std::min<std::size_t>(pack * size, kPackBytes);
    if (reinterpret_cast<std::uintptr_t>(data) % bytes != 0) return false;
    for (const std::int64_t stride : strides)
        if (stride * static_cast<std::int64_t>(size) % static_cast<std::int64_t>(bytes) != 0) return false;
    return true;
}

/// Threads of a block that has `packs` packs to do: whole warps.
inline unsigned threads_for(std::int64_t packs) {
    return static_cast<unsigned>(std::min<std::int64_t>((packs + 31) / 32 * 32, kMostThreads));
}

/// Queues `blocks` times `parts` blocks; none is not an error.
template <class Kernel, class... Arguments>
void launch_grid(Kernel kernel, std::int64_t blocks, unsigned parts, unsigned threads, unsigned shared_bytes,
                 Stream stream, const Arguments&... arguments) {
    if (blocks == 0) return;
    const DeviceGuard guard(stream.device);
    require(blocks <= 0x7fffffff, ExitCode::internal, "a CUDA launch of ", blocks, " blocks is too large");
    const dim3 grid(static_cast<unsigned>(blocks), parts);
    kernel<<<grid, threads, shared_bytes, static_cast<cudaStream_t>(stream.handle)>>>(arguments...);
    check(cudaGetLastError(), "launch a kernel");
}
template <class Kernel, class... Arguments>
void launch_blocks(Kernel kernel, std::int64_t blocks, unsigned threads, unsigned shared_bytes, Stream stream,
                   const Arguments&... arguments) {
    launch_grid(kernel, blocks, 1, threads, shared_bytes, stream, arguments...);
}

}  // namespace omnisync::kernels
