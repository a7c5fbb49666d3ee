#include "ops/bias_activation.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "bias and activation";

kernels::BiasActivation describe(const at::Tensor& x, const at::Tensor& bias, kernels::Activation activation) {
    check_plain(kName, "x", x);
    check_writable(kName, "x", x);
    check_rows(kName, "x", x);
    kernels::BiasActivation job;
    job.type = type_of(kName, "x", x);
    job.columns = x.size(-1);
    job.rows = job.columns == 0 ? 0 : x.numel() / job.columns;
    job.x = job.out = x.mutable_data_ptr();
    job.activation = activation;
    bool innermost = true;
    std::int64_t expected = 0;
    for (std::int64_t d = x.dim() - 2; d >= 0; --d) {
        if (x.size(d) == 1) continue;
        if (innermost) job.x_stride = job.out_stride = expected = x.stride(d);
        innermost = false;
        if (x.stride(d) != expected && x.numel() > 0) refuse(kName, "x", x, "have its rows evenly apart");
        expected *= x.size(d);
    }
    if (!bias.defined()) return job;
    check_plain(kName, "bias", bias);
    check_rows(kName, "bias", bias);
    check_beside(kName, "bias", bias, x);
    if (bias.dim() != 1 || bias.size(0) != job.columns) refuse(kName, "bias", bias, "be one row as wide as x");
    job.bias = bias.const_data_ptr();
    job.bias_type = type_of(kName, "bias", bias);
    return job;
}

}  // namespace

void bias_activation_(const at::Tensor& x, const at::Tensor& bias, kernels::Activation activation) {
    kernels::BiasActivation job = describe(x, bias, activation);
    if (job.rows == 0) return;
    if (bias.defined() == false && job.x_stride == job.columns) {  // short rows as one long one
        job.columns *= job.rows;
        job.rows = 1;
        job.x_stride = job.out_stride = job.columns;
    }
    if (x.is_cuda()) return kernels::bias_activation_cuda(job, current_stream(x));
    const kernels::Simd simd = kernels::best_simd();
    const std::int64_t tasks = kernels::bias_activation_tasks(job);
    at::parallel_for(0, tasks, tasks_per_thread(x.numel() / tasks), [&](std::int64_t begin, std::int64_t end) {
        kernels::bias_activation_cpu(job, {begin, end}, simd);
    });
}

}  // namespace omnisync::ops
