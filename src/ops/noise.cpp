#include "ops/noise.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include <utility>

#include "kernels/noise.h"
#include "omnisync/error.h"
#include "ops/stream.h"

namespace omnisync::ops {
namespace {

// A task is about 2 us, and less than 100 us are not worth waking a thread for.
constexpr std::int64_t kTasksPerThread = 64;

[[noreturn]] void refuse(const char* name, const at::Tensor& tensor, const char* why) {
    fail(ExitCode::internal, "noise: ", name, " ", why, ", not ", tensor.toString(), " of sizes ", tensor.sizes(),
         " and strides ", tensor.strides());
}

kernels::Type type_of(const char* name, const at::Tensor& tensor) {
    if (tensor.scalar_type() == at::kFloat) return kernels::Type::f32;
    if (tensor.scalar_type() == at::kBFloat16) return kernels::Type::bf16;
    refuse(name, tensor, "must be float32 or bfloat16");
}

void check_tensor(const char* name, const at::Tensor& tensor, std::int64_t frame_dim) {
    require(tensor.defined(), ExitCode::internal, "noise: ", name, " is undefined");
    if (!tensor.is_cpu() && !tensor.is_cuda()) refuse(name, tensor, "must lie on the CPU or a CUDA device");
    if (tensor.layout() != at::kStrided || tensor.is_neg()) refuse(name, tensor, "must be an ordinary strided tensor");
    if (frame_dim < 0 || frame_dim >= tensor.dim()) refuse(name, tensor, "must have the frame dimension");
}

/// Columns: all after the frame dimension. Rows: all before it. Throws when they are not what the kernel can walk.
template <class Pointer>
kernels::NoiseTensor<Pointer> describe(const char* name, const at::Tensor& tensor, std::int64_t frame_dim,
                                       Pointer data) {
    kernels::NoiseTensor<Pointer> result{data, type_of(name, tensor), tensor.stride(frame_dim), 0};
    if (tensor.numel() == 0) return result;
    std::int64_t expected = 1;
    for (std::int64_t d = tensor.dim() - 1; d > frame_dim; --d) {
        if (tensor.size(d) == 1) continue;
        if (tensor.stride(d) != expected) refuse(name, tensor, "must be contiguous after its frame dimension");
        expected *= tensor.size(d);
    }
    bool innermost = true;
    for (std::int64_t d = frame_dim - 1; d >= 0; --d) {
        if (tensor.size(d) == 1) continue;
        if (std::exchange(innermost, false)) result.row_stride = expected = tensor.stride(d);
        if (tensor.stride(d) != expected) refuse(name, tensor, "must advance evenly before its frame dimension");
        expected *= tensor.size(d);
    }
    return result;
}

void check_writable(const at::Tensor& out) {
    for (std::int64_t d = 0; d < out.dim(); ++d)
        if (out.stride(d) == 0 && out.size(d) > 1) refuse("out", out, "must not be an expanded tensor");
}

kernels::NoiseWindow window_of(const at::Tensor& tensor, std::int64_t frame_dim, const NoiseKey& key) {
    kernels::NoiseWindow window{key.seed, key.track, key.first_frame, key.first_element, tensor.size(frame_dim), 1, 1};
    for (std::int64_t d = 0; d < frame_dim; ++d) window.rows *= tensor.size(d);
    for (std::int64_t d = frame_dim + 1; d < tensor.dim(); ++d) window.columns *= tensor.size(d);
    require(key.first_element >= 0 && window.rows * window.columns <= kernels::kNoiseElements - key.first_element,
            ExitCode::internal, "noise: a frame's elements are numbered from 0 to ", kernels::kNoiseElements - 1,
            ", not from ", key.first_element, " to ", key.first_element + window.rows * window.columns - 1);
    return window;
}

template <class Job>
void run(const Job& job, const at::Tensor& out, void (*cpu)(const Job&, kernels::Tasks, kernels::Simd),
         void (*cuda)(const Job&, kernels::Stream)) {
    if (out.is_cuda()) return cuda(job, current_stream(out));
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::noise_tasks(job.window), kTasksPerThread, [&](std::int64_t begin, std::int64_t end) {
        cpu(job, {begin, end}, simd);
    });
}

}  // namespace

void fill_noise(const at::Tensor& out, std::int64_t frame_dim, const NoiseKey& key) {
    check_tensor("out", out, frame_dim);
    check_writable(out);
    const kernels::Noise job{window_of(out, frame_dim, key), describe("out", out, frame_dim, out.mutable_data_ptr())};
    run(job, out, kernels::noise_cpu, kernels::noise_cuda);
}

void start_from_source(const at::Tensor& out, const at::Tensor& source, std::int64_t frame_dim, const NoiseKey& key,
                       float tau) {
    check_tensor("out", out, frame_dim);
    check_writable(out);
    check_tensor("source", source, frame_dim);
    if (source.sizes() != out.sizes() || source.device() != out.device())
        refuse("source", source, concat("must have out's sizes ", out.sizes(), " and device").c_str());
    require(tau >= 0 && tau <= 1, ExitCode::internal, "noise: tau must be in [0, 1], not ", tau);
    const kernels::StartFromSource job{window_of(out, frame_dim, key),
                                       describe("out", out, frame_dim, out.mutable_data_ptr()),
                                       describe("source", source, frame_dim, source.const_data_ptr()), tau};
    run(job, out, kernels::start_from_source_cpu, kernels::start_from_source_cuda);
}

}  // namespace omnisync::ops
