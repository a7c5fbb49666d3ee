#include "kernels/guided_step.h"
#include "kernels/launch.cuh"

namespace omnisync::kernels {
namespace {

template <class Pointer>
__device__ std::int64_t offset(const Latents<Pointer>& latents, std::int64_t channel, std::int64_t frame,
                               std::int64_t row, std::int64_t column) {
    return channel * latents.channel_stride + frame * latents.frame_stride + row * latents.row_stride + column;
}

__device__ float weight_at(const GuidedStep& job, std::int64_t frame, std::int64_t row, std::int64_t column) {
    if (job.mouths == nullptr) return job.scale;
    const Mouth mouth = job.mouths[frame];
    const float down = static_cast<float>(row) - mouth.row;
    const float across = static_cast<float>(column) - mouth.column;
    const float near = expf((across * across + down * down) * (-0.5F / (mouth.sigma * mouth.sigma)));
    return fmaxf((near * (1.0F - mouth.outside) + mouth.outside) * job.scale, job.floor);
}

/// One thread, one element.
template <class V, class K>
__global__ void guided_step_kernel(GuidedStep job) {
    std::int64_t index = thread_index();
    if (index >= job.channels * job.frames * job.rows * job.columns) return;
    const std::int64_t column = index % job.columns;
    index /= job.columns;
    const std::int64_t row = index % job.rows;
    index /= job.rows;
    const std::int64_t frame = index % job.frames;
    const std::int64_t channel = index / job.frames;
    const auto velocity = [&](const Latents<const void*>& from) {
        return to_float(static_cast<const V*>(from.data)[offset(from, channel, frame, row, column)]);
    };
    const float base = velocity(job.base);
    float v = base;
    if (job.first.data != nullptr) {
        const float less = velocity(job.first);
        v = less + (base - less) * job.first_scale;
    }
    if (job.last.data != nullptr) v += (velocity(job.last) - base) * weight_at(job, frame, row, column);
    float slope = v;
    if (job.previous.data != nullptr) {
        float* previous = job.previous.data + offset(job.previous, channel, frame, row, column);
        if (job.ahead != 0.0F) slope = v * (1.0F + job.ahead) - *previous * job.ahead;
        *previous = v;
    }
    const float moved = job.x.data[offset(job.x, channel, frame, row, column)] + slope * job.dt;
    job.out.data[offset(job.out, channel, frame, row, column)] = moved;
    if (job.tokens == nullptr) return;
    const std::int64_t token = (frame * (job.rows / 2) + row / 2) * (job.columns / 2) + column / 2;
    static_cast<K*>(job.tokens)[(token * job.channels + channel) * 4 + row % 2 * 2 + column % 2] = from_float<K>(moved);
}

}  // namespace

void guided_step_cuda(const GuidedStep& job, Stream stream) {
    with_type(job.velocity_type, [&]<class V>(V) {
        with_type(job.token_type, [&]<class K>(K) {
            launch(guided_step_kernel<V, K>, job.channels * job.frames * job.rows * job.columns, stream, job);
        });
    });
}

}  // namespace omnisync::kernels
