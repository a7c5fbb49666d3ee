#include <algorithm>
#include <vector>

#include "device.h"
#include "kernels/launch.cuh"

namespace kernelcheck {

using omnisync::kernels::check;

const std::string& device_absent() {
    static const std::string reason = [] {
        int count = 0;
        const cudaError_t code = cudaGetDeviceCount(&count);
        if (code != cudaSuccess) return std::string("no CUDA device (") + cudaGetErrorString(code) + ")";
        return std::string(count > 0 ? "" : "no CUDA device");
    }();
    return reason;
}

DeviceMemory::DeviceMemory(std::size_t bytes) : data_(nullptr, [](void* data) { cudaFree(data); }) {
    void* data = nullptr;
    check(cudaMalloc(&data, std::max<std::size_t>(bytes, 1)), "allocate memory");
    data_.reset(data);
}

void DeviceMemory::upload(const void* from, std::size_t bytes) {
    check(cudaMemcpy(data(), from, bytes, cudaMemcpyHostToDevice), "upload");
}

void DeviceMemory::download(void* to, std::size_t bytes) const {
    check(cudaDeviceSynchronize(), "finish the kernel");
    check(cudaMemcpy(to, data(), bytes, cudaMemcpyDeviceToHost), "download");
}

double device_seconds(int repeats, const std::function<void()>& queue) {
    cudaEvent_t begin = nullptr;
    cudaEvent_t end = nullptr;
    check(cudaEventCreate(&begin), "create an event");
    check(cudaEventCreate(&end), "create an event");
    queue();
    std::vector<float> times;
    for (int i = 0; i < repeats; ++i) {
        check(cudaEventRecord(begin), "record an event");
        queue();
        check(cudaEventRecord(end), "record an event");
        check(cudaEventSynchronize(end), "finish the kernel");
        check(cudaEventElapsedTime(&times.emplace_back(), begin, end), "read an event");
    }
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
    std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
    return times[repeats / 2] * 1e-3;
}

double device_copy_speed() {
    constexpr std::size_t kBytes = std::size_t{512} << 20;
    const DeviceMemory from(kBytes);
    const DeviceMemory to(kBytes);
    const double seconds = device_seconds(
        20, [&] { check(cudaMemcpyAsync(to.data(), from.data(), kBytes, cudaMemcpyDeviceToDevice), "copy"); });
    return 2.0 * kBytes / seconds;
}

}  // namespace kernelcheck
