#include "kernels/depthwise_tokens.h"
#include "kernels/launch.cuh"

namespace omnisync::kernels {
namespace {

__device__ float gelu(float v) {
    const float e = expf(-2 * 0.7978845608F * v * (1 + 0.044715F * v * v));
    return v / (1 + e);
}

/// One thread, one output.
template <class T>
__global__ void depthwise_tokens_kernel(DepthwiseTokens job) {
    const std::int64_t index = thread_index();
    if (index >= job.items * job.rows * job.columns * job.channels) return;
    const std::int64_t channel = index % job.channels;
    const std::int64_t column = index / job.channels % job.columns;
    const std::int64_t row = index / (job.channels * job.columns) % job.rows;
    const T* x = static_cast<const T*>(job.x) + index;
    float sum = to_float(*x);
    for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
            if (row + dy < 0 || row + dy >= job.rows || column + dx < 0 || column + dx >= job.columns) continue;
            const float weight = job.weight[((dy + 1) * 3 + dx + 1) * job.channels + channel];
            sum += weight * to_float(x[(dy * job.columns + dx) * job.channels]);
        }
    static_cast<T*>(job.out)[index] = from_float<T>(gelu(sum));
}

}  // namespace

void depthwise_tokens_cuda(const DepthwiseTokens& job, Stream stream) {
    const std::int64_t threads = job.items * job.rows * job.columns * job.channels;
    with_type(job.type, [&]<class T>(T) { launch(depthwise_tokens_kernel<T>, threads, stream, job); });
}

}  // namespace omnisync::kernels
