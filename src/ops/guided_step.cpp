#include "ops/guided_step.h"

#include <ATen/Parallel.h>

#include "omnisync/error.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "guided step";

void check_latents(const char* name, const at::Tensor& tensor, const at::Tensor& x, at::ScalarType type) {
    check_plain(kName, name, tensor);
    check_rows(kName, name, tensor);
    check_beside(kName, name, tensor, x);
    if (tensor.sizes() != x.sizes() || tensor.scalar_type() != type)
        refuse(kName, name, tensor, concat("be ", c10::toString(type), " of sizes ", x.sizes()));
}

template <class Pointer>
kernels::Latents<Pointer> placed(const at::Tensor& tensor, Pointer data) {
    return {data, tensor.stride(0), tensor.stride(1), tensor.stride(2)};
}

kernels::Latents<float*> written(const char* name, const at::Tensor& tensor, const at::Tensor& x) {
    check_latents(name, tensor, x, at::kFloat);
    check_writable(kName, name, tensor);
    return placed(tensor, tensor.mutable_data_ptr<float>());
}

kernels::Latents<const void*> branch(const char* name, const at::Tensor& tensor, const GuidedStep& given) {
    if (!tensor.defined()) return {};
    check_latents(name, tensor, given.x, given.base.scalar_type());
    return placed(tensor, tensor.const_data_ptr());
}

void add_tokens(kernels::GuidedStep& job, const GuidedStep& given) {
    if (!given.tokens.defined()) return;
    check_plain(kName, "tokens", given.tokens);
    check_beside(kName, "tokens", given.tokens, given.x);
    if (job.rows % 2 != 0 || job.columns % 2 != 0 || !given.tokens.is_contiguous() ||
        given.tokens.sizes() != at::IntArrayRef{job.frames, job.rows / 2, job.columns / 2, job.channels, 2, 2})
        refuse(kName, "tokens", given.tokens, concat("be the patches of ", given.x.sizes(), ", contiguous"));
    job.token_type = type_of(kName, "tokens", given.tokens);
    job.tokens = given.tokens.mutable_data_ptr();
}

kernels::GuidedStep describe(const GuidedStep& given) {
    check_plain(kName, "x", given.x);
    if (given.x.dim() != 4) refuse(kName, "x", given.x, "be [channels, frames, rows, columns]");
    check_latents("x", given.x, given.x, at::kFloat);
    require(given.base.defined(), ExitCode::internal, kName, ": base is undefined");
    kernels::GuidedStep job;
    job.channels = given.x.size(0);
    job.frames = given.x.size(1);
    job.rows = given.x.size(2);
    job.columns = given.x.size(3);
    job.x = placed(given.x, given.x.const_data_ptr<float>());
    job.out = written("out", given.out, given.x);
    job.velocity_type = type_of(kName, "base", given.base);
    job.base = branch("base", given.base, given);
    job.first = branch("first", given.first, given);
    job.last = branch("last", given.last, given);
    if (given.previous.defined()) job.previous = written("previous", given.previous, given.x);
    require(given.ahead == 0 || given.previous.defined(), ExitCode::internal, kName, ": nothing to look ahead from");
    if (given.mouths.defined()) {
        check_plain(kName, "mouths", given.mouths);
        check_beside(kName, "mouths", given.mouths, given.x);
        if (given.mouths.scalar_type() != at::kFloat || !given.mouths.is_contiguous() ||
            given.mouths.sizes() != at::IntArrayRef{job.frames, 4})
            refuse(kName, "mouths", given.mouths, concat("be float32 [", job.frames, ", 4], contiguous"));
        job.mouths = static_cast<const kernels::Mouth*>(given.mouths.const_data_ptr());
    }
    job.first_scale = static_cast<float>(given.first_scale);
    job.scale = static_cast<float>(given.scale);
    job.floor = static_cast<float>(given.floor);
    job.dt = static_cast<float>(given.dt);
    job.ahead = static_cast<float>(given.ahead);
    add_tokens(job, given);
    return job;
}

}  // namespace

void guided_step(const GuidedStep& given) {
    const kernels::GuidedStep job = describe(given);
    if (given.x.numel() == 0) return;
    if (given.x.is_cuda()) return kernels::guided_step_cuda(job, current_stream(given.x));
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::guided_step_tasks(job), tasks_per_thread(2 * job.columns * job.channels),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::guided_step_cpu(job, {begin, end}, simd);
                     });
}

}  // namespace omnisync::ops
