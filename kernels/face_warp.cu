#include "kernels/face_warp.h"
#include "kernels/face_warp_math.h"
#include "kernels/launch.cuh"

namespace omnisync::kernels {
namespace {

/// One block, one row. The sums of a row are added in an order of their own, the same in every run.
__global__ void face_warp_kernel(FaceWarp job) {
    __shared__ sampling::Four partial[kThreadsPerBlock];
    const auto row = static_cast<std::int32_t>(blockIdx.x);
    const auto lane = static_cast<std::int32_t>(threadIdx.x);
    const std::int64_t plane = std::int64_t{job.area.width} * job.area.height;
    sampling::Four sums = sampling::all(0);
    for (std::int32_t column = lane; column < job.area.width; column += kThreadsPerBlock) {
        const face_warp_math::Drawn drawn = face_warp_math::draw(job, column, row);
        const std::int64_t at = std::int64_t{row} * job.area.width + column;
        for (int c = 0; c < 3; ++c) job.made[c * plane + at] = drawn.made[c];
        job.mouth[at] = drawn.made[3];
        job.edit[at] = drawn.edit;
        sums = sums + drawn.difference;
    }
    partial[lane] = sums;
    for (int half = kThreadsPerBlock / 2; half > 0; half /= 2) {
        __syncthreads();
        if (lane < half) partial[lane] = partial[lane] + partial[lane + half];
    }
    if (lane < 4) job.sums[4 * std::int64_t{row} + lane] = partial[0][lane];
}

}  // namespace

void face_warp_cuda(const FaceWarp& job, Stream stream) {
    launch(face_warp_kernel, face_warp_tasks(job) * kThreadsPerBlock, stream, job);
}

}  // namespace omnisync::kernels
