#include "ops/depthwise_tokens.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>

#include "kernels/depthwise_tokens.h"
#include "ops/stream.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "depthwise tokens";

void check(const char* name, const at::Tensor& tensor, const at::Tensor& x) {
    check_plain(kName, name, tensor);
    check_beside(kName, name, tensor, x);
    if (!tensor.is_contiguous()) refuse(kName, name, tensor, "be contiguous");
}

}  // namespace

void depthwise_tokens(const at::Tensor& x, const at::Tensor& weight, std::int64_t rows, std::int64_t columns,
                      const at::Tensor& out) {
    check("x", x, x);
    check("weight", weight, x);
    check("out", out, x);
    if (x.dim() != 3 || x.size(1) != rows * columns) refuse(kName, "x", x, "be [B, rows * columns, channels]");
    if (weight.scalar_type() != at::kFloat || weight.dim() != 2 || weight.size(0) != 9 || weight.size(1) != x.size(2))
        refuse(kName, "weight", weight, "be float32 [9, channels]");
    if (out.sizes() != x.sizes() || out.scalar_type() != x.scalar_type()) refuse(kName, "out", out, "be as x");
    const kernels::DepthwiseTokens job{x.size(0),
                                       rows,
                                       columns,
                                       x.size(2),
                                       type_of(kName, "x", x),
                                       x.const_data_ptr(),
                                       weight.const_data_ptr<float>(),
                                       out.mutable_data_ptr()};
    if (x.is_cuda()) return kernels::depthwise_tokens_cuda(job, current_stream(x));
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::depthwise_tokens_tasks(job), tasks_per_thread(4 * columns * x.size(2)),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::depthwise_tokens_cpu(job, {begin, end}, simd);
                     });
}

}  // namespace omnisync::ops
