#include "ops/norm_silu.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty_like.h>

#include <algorithm>

#include "kernels/norm_silu.h"
#include "omnisync/error.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "norm and SiLU";

bool channels_last(const at::Tensor& x) {
    return (x.dim() == 4 && x.is_contiguous(at::MemoryFormat::ChannelsLast)) ||
           (x.dim() == 5 && x.is_contiguous(at::MemoryFormat::ChannelsLast3d));
}

const void* weights(const char* name, const at::Tensor& tensor, const at::Tensor& x, kernels::Type type) {
    check_plain(kName, name, tensor);
    check_beside(kName, name, tensor, x);
    if (tensor.numel() != x.size(1) || !tensor.is_contiguous() || type_of(kName, name, tensor) != type)
        refuse(kName, name, tensor, concat("be ", x.size(1), " contiguous numbers, all weights of one type"));
    return tensor.const_data_ptr();
}

at::Tensor run(const at::Tensor& given, const at::Tensor& gamma, const at::Tensor& beta, kernels::NormSilu job) {
    check_plain(kName, "x", given);
    if (given.dim() < 2) refuse(kName, "x", given, "have channels");
    const bool last = !given.is_contiguous() && channels_last(given);
    const at::Tensor x = last ? given : given.contiguous();
    const at::Tensor out = at::empty_like(x);
    job.x = x.const_data_ptr();
    job.out = out.mutable_data_ptr();
    job.type = type_of(kName, "x", x);
    job.order = last ? kernels::ChannelOrder::last : kernels::ChannelOrder::first;
    job.batch = x.size(0);
    job.channels = x.size(1);
    job.pixels = x.numel() / std::max<std::int64_t>(job.batch * job.channels, 1);
    job.weight_type = type_of(kName, "gamma", gamma);
    job.gamma = weights("gamma", gamma, x, job.weight_type);
    if (beta.defined()) job.beta = weights("beta", beta, x, job.weight_type);
    if (out.is_cuda()) {
        kernels::norm_silu_cuda(job, current_stream(out));
        return out;
    }
    const std::int64_t tasks = kernels::norm_silu_tasks(job);
    at::parallel_for(0, tasks, tasks_per_thread(x.numel() / std::max<std::int64_t>(tasks, 1)),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::norm_silu_cpu(job, {begin, end});
                     });
    return out;
}

}  // namespace

at::Tensor rms_norm_silu(const at::Tensor& x, const at::Tensor& gamma, bool silu) {
    kernels::NormSilu job;
    job.silu = silu;
    return run(x, gamma, {}, job);
}

at::Tensor group_norm_silu(const at::Tensor& x, std::int64_t groups, const at::Tensor& gamma, const at::Tensor& beta,
                           double eps, bool silu) {
    require(groups > 0 && x.dim() >= 2 && x.size(1) % groups == 0, ExitCode::internal, kName, ": ", groups,
            " groups of a tensor of sizes ", x.sizes());
    kernels::NormSilu job;
    job.groups = groups;
    job.eps = static_cast<float>(eps);
    job.silu = silu;
    return run(x, gamma, beta, job);
}

}  // namespace omnisync::ops
