// The entry of libomnisync_cuda.so: exceptions become status codes here (base/status_border.h).
#include <cuda_runtime_api.h>

#include <cstring>

#include "base/status_border.h"
#include "kernels/cuda_table.h"
#include "omnisync/error.h"

namespace omnisync::kernels {
namespace {

/// One entry of the table for each launcher.
template <auto Launcher, class Job>
int launch_guarded(const Job& job, Stream stream) {
    return guarded([&] { Launcher(job, stream); });
}

void check(cudaError_t code) {
    if (code == cudaSuccess) return;
    cudaGetLastError();  // else the next launch would report it again
    fail(ExitCode::unavailable, cudaGetErrorString(code));
}

int device_count(std::int32_t* count) {
    return guarded([&] {
        int driver = 0;
        check(cudaDriverGetVersion(&driver));
        require(driver > 0, ExitCode::unavailable, "no NVIDIA driver is installed");
        int found = 0;  // without a driver the call below leaves it as it is
        check(cudaGetDeviceCount(&found));
        *count = found;
    });
}

int describe_device(std::int32_t index, CudaTableDevice* description) {
    return guarded([&] {
        cudaDeviceProp properties{};
        check(cudaGetDeviceProperties(&properties, index));
        static_assert(sizeof properties.name <= sizeof description->name);
        std::memcpy(description->name, properties.name, sizeof properties.name);
        description->memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
        description->sm = properties.major * 10 + properties.minor;
    });
}

constexpr CudaTable kTable{
    .version = kCudaTableVersion,
    .bytes = sizeof(CudaTable),
    .last_error = [] { return error_of_thread().c_str(); },
    .device_count = device_count,
    .device = describe_device,
    .noise = launch_guarded<noise_cuda, Noise>,
    .start_from_source = launch_guarded<start_from_source_cuda, StartFromSource>,
    .bias_activation = launch_guarded<bias_activation_cuda, BiasActivation>,
    .gated_norm = launch_guarded<gated_norm_cuda, GatedNorm>,
    .guided_step = launch_guarded<guided_step_cuda, GuidedStep>,
    .qk_norm_rope = launch_guarded<qk_norm_rope_cuda, QkNormRope>,
    .face_crop = launch_guarded<face_crop_cuda, FaceCrop>,
    .face_warp = launch_guarded<face_warp_cuda, FaceWarp>,
    .paste = launch_guarded<paste_cuda, Paste>,
    .norm_silu = launch_guarded<norm_silu_cuda, NormSilu>,
    .log_mel = launch_guarded<log_mel_cuda, LogMel>,
    .read_patch = launch_guarded<read_patch_cuda, ReadPatch>,
    .depthwise_tokens = launch_guarded<depthwise_tokens_cuda, DepthwiseTokens>,
};

}  // namespace
}  // namespace omnisync::kernels

extern "C" [[gnu::visibility("default")]] const omnisync::kernels::CudaTable* omnisync_cuda_table() noexcept {
    return &omnisync::kernels::kTable;
}
