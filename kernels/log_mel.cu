#include "kernels/launch.cuh"
#include "kernels/log_mel.h"

namespace omnisync::kernels {
namespace {

/// One block, one frame: the sums of the transform as they stand, then the bands.
__global__ void log_mel_kernel(LogMel job) {
    __shared__ float samples[kMostFft];
    __shared__ float2 roots[kMostFft];
    __shared__ float power[kMostFft / 2 + 1];
    const auto frame = static_cast<std::int64_t>(blockIdx.x);
    const auto lane = static_cast<int>(threadIdx.x);
    for (int i = lane; i < job.fft; i += kThreadsPerBlock) {
        samples[i] = i < job.length ? job.samples[frame * job.hop + i] * job.window[i] : 0.0F;
        roots[i] = {job.roots[2 * i], job.roots[2 * i + 1]};
    }
    __syncthreads();
    const int bins = job.fft / 2 + 1;
    for (int k = lane; k < bins; k += kThreadsPerBlock) {
        float re = 0, im = 0;
        for (int i = 0, root = 0; i < job.length; ++i) {
            re += samples[i] * roots[root].x;
            im += samples[i] * roots[root].y;
            root += k;
            if (root >= job.fft) root -= job.fft;
        }
        power[k] = re * re + im * im;
    }
    __syncthreads();
    const int columns = job.bands == 0 ? bins : job.bands;
    for (int column = lane; column < columns; column += kThreadsPerBlock) {
        float value = job.bands == 0 ? power[column] : 0.0F;
        if (job.bands > 0)
            for (int k = job.ranges[2 * column]; k < job.ranges[2 * column + 1]; ++k)
                value += job.filters[std::int64_t{column} * bins + k] * power[k];
        job.out[frame * columns + column] = job.logarithm ? log10f(value > 1e-10F ? value : 1e-10F) : value;
    }
}

}  // namespace

void log_mel_cuda(const LogMel& job, Stream stream) {
    launch(log_mel_kernel, job.frames * kThreadsPerBlock, stream, job);
}

}  // namespace omnisync::kernels
