#include "kernels/curve_math.h"
#include "kernels/launch.cuh"
#include "kernels/norm_silu.h"

namespace omnisync::kernels {
namespace {

constexpr int kWarp = 32;

__device__ float activated(float n, bool silu) {
    return silu ? n / (1.0F + curve_math::exp(-n)) : n;
}

__device__ float weight_at(const NormSilu& job, const void* weights, std::int64_t channel) {
    return job.weight_type == Type::f32 ? static_cast<const float*>(weights)[channel]
                                        : to_float(static_cast<const bf16*>(weights)[channel]);
}

/// Element `at`, residual added.
template <class T>
__device__ float load(const NormSilu& job, std::int64_t at) {
    const float x = to_float(static_cast<const T*>(job.x)[at]);
    if (job.residual == nullptr) return x;
    return to_float(from_float<T>(x + to_float(static_cast<const T*>(job.residual)[at])));
}

template <class T>
__device__ void store(const NormSilu& job, std::int64_t at, float value, float n) {
    if (job.sum != nullptr && job.residual != nullptr) static_cast<T*>(job.sum)[at] = from_float<T>(value);
    static_cast<T*>(job.out)[at] = from_float<T>(activated(n, job.silu));
}

__device__ float length_of(float squares) {
    const float length = sqrtf(squares);
    return length > 1e-12F ? length : 1e-12F;
}

/// Channels first: one thread, one pixel; neighbours read neighbours.
template <class T>
__global__ void rms_first_kernel(NormSilu job) {
    const std::int64_t index = thread_index();
    if (index >= job.batch * job.pixels) return;
    const std::int64_t begin = index / job.pixels * job.channels * job.pixels + index % job.pixels;
    float squares = 0;
    for (std::int64_t c = 0; c < job.channels; ++c) {
        const float value = load<T>(job, begin + c * job.pixels);
        squares += value * value;
    }
    const float length = length_of(squares), root = sqrtf(static_cast<float>(job.channels));
    for (std::int64_t c = 0; c < job.channels; ++c) {
        const std::int64_t at = begin + c * job.pixels;
        const float value = load<T>(job, at);
        store<T>(job, at, value, value / length * root * weight_at(job, job.gamma, c));
    }
}

/// Channels last: one warp, one pixel.
template <class T>
__global__ void rms_last_kernel(NormSilu job) {
    const std::int64_t pixel = thread_index() / kWarp;
    if (pixel >= job.batch * job.pixels) return;
    const std::int64_t begin = pixel * job.channels;
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    float squares = 0;
    for (std::int64_t c = lane; c < job.channels; c += kWarp) {
        const float value = load<T>(job, begin + c);
        squares += value * value;
    }
    for (int apart = kWarp / 2; apart > 0; apart /= 2) squares += __shfl_xor_sync(0xffffffffU, squares, apart);
    const float length = length_of(squares), root = sqrtf(static_cast<float>(job.channels));
    for (std::int64_t c = lane; c < job.channels; c += kWarp) {
        const float value = load<T>(job, begin + c);
        store<T>(job, begin + c, value, value / length * root * weight_at(job, job.gamma, c));
    }
}

/// The sum over the block, in every thread.
__device__ double block_sum(double value) {
    __shared__ double partial[kThreadsPerBlock];
    __syncthreads();
    partial[threadIdx.x] = value;
    for (unsigned half = kThreadsPerBlock / 2; half > 0; half /= 2) {
        __syncthreads();
        if (threadIdx.x < half) partial[threadIdx.x] += partial[threadIdx.x + half];
    }
    __syncthreads();
    return partial[0];
}

/// One block, one group of one picture.
template <class T>
__global__ void group_kernel(NormSilu job) {
    const std::int64_t width = job.channels / job.groups, count = width * job.pixels;
    const std::int64_t picture = static_cast<std::int64_t>(blockIdx.x) / job.groups * job.channels * job.pixels;
    const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) % job.groups * width;
    const auto channel_of = [&](std::int64_t i) {
        return first + (job.order == ChannelOrder::last ? i % width : i / job.pixels);
    };
    const auto element_of = [&](std::int64_t i) {
        return picture +
               (job.order == ChannelOrder::last ? i / width * job.channels + channel_of(i) : first * job.pixels + i);
    };
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < count; i += kThreadsPerBlock) sum += load<T>(job, element_of(i));
    const double mean = block_sum(sum) / static_cast<double>(count);
    double squares = 0;
    for (std::int64_t i = threadIdx.x; i < count; i += kThreadsPerBlock) {
        const double off = load<T>(job, element_of(i)) - mean;
        squares += off * off;
    }
    const double variance = block_sum(squares) / static_cast<double>(count);
    const auto scale = static_cast<float>(1 / sqrt(variance + static_cast<double>(job.eps)));
    const auto middle = static_cast<float>(mean);
    for (std::int64_t i = threadIdx.x; i < count; i += kThreadsPerBlock) {
        const std::int64_t at = element_of(i), channel = channel_of(i);
        const float value = load<T>(job, at);
        const float beta = job.beta == nullptr ? 0.0F : weight_at(job, job.beta, channel);
        store<T>(job, at, value, (value - middle) * scale * weight_at(job, job.gamma, channel) + beta);
    }
}

}  // namespace

void norm_silu_cuda(const NormSilu& job, Stream stream) {
    if (norm_silu_tasks(job) == 0) return;
    with_type(job.type, [&]<class T>(T) {
        const std::int64_t pixels = job.batch * job.pixels;
        if (job.groups > 0)
            launch(group_kernel<T>, job.batch * job.groups * kThreadsPerBlock, stream, job);
        else if (job.order == ChannelOrder::first)
            launch(rms_first_kernel<T>, pixels, stream, job);
        else
            launch(rms_last_kernel<T>, pixels * kWarp, stream, job);
    });
}

}  // namespace omnisync::kernels
