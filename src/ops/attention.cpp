#include "ops/attention.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <algorithm>
#include <cmath>

#include "kernels/short_attention.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "attention";

void check(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& out) {
    check_plain(kName, "qkv", qkv);
    check_rows(kName, "qkv", qkv);
    check_plain(kName, "out", out);
    check_rows(kName, "out", out);
    check_writable(kName, "out", out);
    check_beside(kName, "out", out, qkv);
    if (qkv.dim() != 3 || heads <= 0 || qkv.size(2) % (3 * heads) != 0 ||
        qkv.size(2) / (3 * heads) > kernels::kAttentionHeadDim)
        refuse(kName, "qkv", qkv, "be [B, T, 3 * heads * head_dim] for " + std::to_string(heads) + " heads");
    if (out.scalar_type() != qkv.scalar_type() || out.dim() != 3 || out.size(0) != qkv.size(0) ||
        out.size(1) != qkv.size(1) || 3 * out.size(2) != qkv.size(2))
        refuse(kName, "out", out, "be [B, T, heads * head_dim] of qkv's type");
}

void on_cuda(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& out) {
    const at::Tensor parts = qkv.view({qkv.size(0), qkv.size(1), 3, heads, -1}).permute({2, 0, 3, 1, 4});
    const at::Tensor seen = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
    out.copy_(seen.transpose(1, 2).reshape(out.sizes()));
}

}  // namespace

void packed_attention(const at::Tensor& qkv, std::int64_t heads, const at::Tensor& out) {
    check(qkv, heads, out);
    if (qkv.is_cuda()) return on_cuda(qkv, heads, out);
    const std::int64_t width = out.size(2);
    const std::int64_t head_dim = width / heads;
    const auto* const data = static_cast<const std::byte*>(qkv.const_data_ptr());
    const auto part = [&](std::int64_t index) {
        return kernels::HeadsTensor<const void*>{data + index * width * static_cast<std::int64_t>(qkv.element_size()),
                                                 qkv.stride(0), qkv.stride(1), head_dim};
    };
    const kernels::ShortAttention job{qkv.size(0),
                                      heads,
                                      qkv.size(1),
                                      qkv.size(1),
                                      head_dim,
                                      1 / std::sqrt(static_cast<float>(head_dim)),
                                      type_of(kName, "qkv", qkv),
                                      part(0),
                                      part(1),
                                      part(2),
                                      {out.mutable_data_ptr(), out.stride(0), out.stride(1), head_dim}};
    const kernels::Simd simd = kernels::best_simd();
    const std::int64_t work = std::max<std::int64_t>(1, qkv.size(1) * head_dim);  // of a task, per query
    at::parallel_for(0, kernels::short_attention_tasks(job), std::max<std::int64_t>(1, 8192 / work),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::short_attention_cpu(job, {begin, end}, simd);
                     });
}

}  // namespace omnisync::ops
