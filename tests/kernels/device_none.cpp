#include "device.h"
#include "omnisync/error.h"

namespace kernelcheck {

const std::string& device_absent() {
    static const std::string reason = "no CUDA device (built without CUDA)";
    return reason;
}

namespace {
[[noreturn]] void absent() {
    throw omnisync::Error(omnisync::ExitCode::unavailable, device_absent());
}
}  // namespace

DeviceMemory::DeviceMemory(std::size_t) : data_(nullptr, [](void*) {}) {
    absent();
}
void DeviceMemory::upload(const void*, std::size_t) {
    absent();
}
void DeviceMemory::download(void*, std::size_t) const {
    absent();
}
double device_seconds(int, const std::function<void()>&) {
    absent();
}
double device_copy_speed() {
    absent();
}

}  // namespace kernelcheck
