#include "ops/gated_norm.h"

#include <ATen/Parallel.h>

#include "omnisync/error.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "gated norm";

void check_like_x(const char* name, const at::Tensor& tensor, const at::Tensor& x) {
    check_plain(kName, name, tensor);
    check_rows(kName, name, tensor);
    check_beside(kName, name, tensor, x);
    if (tensor.scalar_type() != x.scalar_type() || tensor.sizes() != x.sizes())
        refuse(kName, name, tensor, concat("be as x: ", x.toString(), " of sizes ", x.sizes()));
}

/// [T, width] or [B, T, width]; undefined: absent.
template <class Pointer>
kernels::TokenRows<Pointer> rows_of(const at::Tensor& tensor, Pointer data) {
    return {data, tensor.dim() == 3 ? tensor.stride(0) : 0, tensor.stride(-2)};
}

/// The parameters of a job have one type, that of the first that is there.
struct Parameters {
    const at::Tensor& x;
    at::ScalarType type = at::kFloat;
    const at::Tensor* first = nullptr;

    void check(const char* name, const at::Tensor& tensor) {
        check_plain(kName, name, tensor);
        check_rows(kName, name, tensor);
        check_beside(kName, name, tensor, x);
        if (tensor.size(-1) != x.size(-1)) refuse(kName, name, tensor, concat("have rows of ", x.size(-1)));
        if (first == nullptr) type = tensor.scalar_type();
        first = &tensor;
        (void)type_of(kName, name, tensor);
        if (tensor.scalar_type() != type) refuse(kName, name, tensor, "have the other parameters' type");
    }

    const void* affine(const char* name, const at::Tensor& tensor) {
        if (!tensor.defined()) return nullptr;
        check(name, tensor);
        if (tensor.dim() != 1) refuse(kName, name, tensor, "be one row");
        return tensor.const_data_ptr();
    }

    kernels::TokenRows<const void*> modulation(const char* name, const at::Tensor& tensor, std::int64_t at_rest) {
        if (!tensor.defined()) return {};
        check(name, tensor);
        if (at_rest >= 0) {
            if (tensor.dim() != 2 || tensor.size(0) != 2) refuse(kName, name, tensor, "be two rows: at rest, and not");
            return {tensor.const_data_ptr(), 0, tensor.stride(0)};
        }
        const at::Tensor& rows = tensor;
        const std::int64_t dims = rows.dim();
        if (dims > 3 || (dims == 3 && rows.size(0) != 1 && (x.dim() < 3 || rows.size(0) != x.size(0))) ||
            (dims >= 2 && rows.size(-2) != 1 && rows.size(-2) != x.size(-2)))
            refuse(kName, name, tensor, concat("broadcast to ", x.sizes()));
        return {tensor.const_data_ptr(), dims == 3 && rows.size(0) > 1 ? rows.stride(0) : 0,
                dims >= 2 && rows.size(-2) > 1 ? rows.stride(-2) : 0};
    }
};

kernels::GatedNorm describe(const GatedNorm& given) {
    const at::Tensor& x = given.x;
    check_like_x("x", x, x);
    if (x.dim() != 2 && x.dim() != 3) refuse(kName, "x", x, "be [B, T, width] or [T, width]");
    require(given.epsilon > 0, ExitCode::internal, kName, ": epsilon must be above 0, not ", given.epsilon);
    kernels::GatedNorm job;
    job.items = x.dim() == 3 ? x.size(0) : 1;
    job.tokens = x.size(-2);
    job.width = x.size(-1);
    job.type = type_of(kName, "x", x);
    job.x = rows_of(x, given.branch.defined() ? x.mutable_data_ptr() : const_cast<void*>(x.const_data_ptr()));
    if (given.branch.defined()) {
        check_writable(kName, "x", x);
        check_like_x("branch", given.branch, x);
        job.branch = rows_of(given.branch, given.branch.const_data_ptr());
    }
    if (given.out.defined()) {
        check_like_x("out", given.out, x);
        check_writable(kName, "out", given.out);
        job.out = rows_of(given.out, given.out.mutable_data_ptr());
    }
    job.norm = given.norm;
    job.epsilon = static_cast<float>(given.epsilon);
    Parameters parameters{x};
    job.gain = parameters.affine("gain", given.gain);
    job.bias = parameters.affine("bias", given.bias);
    job.gate = parameters.modulation("gate", given.gate, given.at_rest);
    job.scale = parameters.modulation("scale", given.scale, given.at_rest);
    job.shift = parameters.modulation("shift", given.shift, given.at_rest);
    job.at_rest = given.at_rest;
    if (parameters.first != nullptr) job.parameter_type = type_of(kName, "parameter", *parameters.first);
    return job;
}

}  // namespace

void gated_norm(const GatedNorm& given) {
    const kernels::GatedNorm job = describe(given);
    if (given.x.numel() == 0) return;
    if (given.x.is_cuda()) return kernels::gated_norm_cuda(job, current_stream(given.x));
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::gated_norm_tasks(job), tasks_per_thread(job.width),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::gated_norm_cpu(job, {begin, end}, simd);
                     });
}

}  // namespace omnisync::ops
