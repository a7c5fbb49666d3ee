// The entry of libomnisync_graph.so: LibTorch's CUDA graphs behind plain functions (ops/graph_table.h). Exceptions
// become status codes here (base/status_border.h).
#include <ATen/cuda/CUDAContext.h>
#include <ATen/cuda/CUDAGraph.h>
#include <c10/cuda/CUDAGuard.h>

#include <memory>

#include "base/status_border.h"
#include "ops/graph_table.h"

namespace omnisync::ops {
namespace {

int capture(int device, void (*step)(void* context), void* context, void** graph) {
    *graph = nullptr;
    return guarded([&] {
        auto made = std::make_unique<at::cuda::CUDAGraph>();
        const c10::cuda::CUDAGuard on_device(static_cast<c10::DeviceIndex>(device < 0 ? 0 : device));
        const c10::cuda::CUDAStream before = c10::cuda::getCurrentCUDAStream();
        before.synchronize();
        {
            // Not on the default stream: that cannot be captured.
            const c10::cuda::CUDAStreamGuard on_stream(c10::cuda::getStreamFromPool());
            made->capture_begin();
            step(context);
            made->capture_end();
        }
        *graph = made.release();
    });
}

constexpr GraphTable kTable{
    .version = kGraphTableVersion,
    .bytes = sizeof(GraphTable),
    .last_error = [] { return error_of_thread().c_str(); },
    .capture = capture,
    .replay = [](void* graph) { return guarded([&] { static_cast<at::cuda::CUDAGraph*>(graph)->replay(); }); },
    .destroy = [](void* graph) { delete static_cast<at::cuda::CUDAGraph*>(graph); },
};

}  // namespace
}  // namespace omnisync::ops

extern "C" [[gnu::visibility("default")]] const omnisync::ops::GraphTable* omnisync_graph_table() noexcept {
    return &omnisync::ops::kTable;
}
