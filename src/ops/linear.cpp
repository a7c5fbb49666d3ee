#include "ops/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "kernels/packed_linear.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "linear";

void check(const char* name, const at::Tensor& tensor, std::int64_t columns, const at::Tensor& weights) {
    check_plain(kName, name, tensor);
    check_beside(kName, name, tensor, weights);
    if (!tensor.is_contiguous() || tensor.dim() == 0 || tensor.size(-1) != columns ||
        tensor.scalar_type() != weights.scalar_type())
        refuse(kName, name, tensor, "be contiguous with rows of " + std::to_string(columns) + " of the weights' type");
}

/// Tasks that are worth waking a thread for: some 30 us.
std::int64_t grain(std::int64_t in) {
    return std::max<std::int64_t>(1, 800 / std::max<std::int64_t>(in, 1));
}

}  // namespace

FixedLinear::FixedLinear(const at::Tensor& weight, const at::Tensor& bias)
    : in_(weight.size(1)), out_(weight.size(0)), bias_(bias.defined() ? bias.contiguous() : bias) {
    if (weight.is_cpu() && weight.scalar_type() == at::kFloat) {
        packed_ = at::empty({kernels::packed_linear_size(in_, out_)}, weight.options());
        kernels::pack_linear(weight.contiguous().const_data_ptr<float>(), in_, out_, packed_.mutable_data_ptr<float>());
    } else {
        weight_ = weight.t();
    }
}

void FixedLinear::operator()(const at::Tensor& x, const at::Tensor& out) const {
    const at::Tensor& weights = packed_.defined() ? packed_ : weight_;
    check("x", x, in_, weights);
    check("out", out, out_, weights);
    const std::int64_t rows = x.numel() / std::max<std::int64_t>(in_, 1);
    if (out.numel() != rows * out_) refuse(kName, "out", out, "have a row for each of x");
    if (!packed_.defined()) {
        at::Tensor product = out.view({rows, out_});
        bias_.defined() ? at::addmm_out(product, bias_, x.view({rows, in_}), weight_)
                        : at::mm_out(product, x.view({rows, in_}), weight_);
        return;
    }
    const kernels::PackedLinear job{rows,
                                    in_,
                                    out_,
                                    x.const_data_ptr<float>(),
                                    in_,
                                    packed_.const_data_ptr<float>(),
                                    bias_.defined() ? bias_.const_data_ptr<float>() : nullptr,
                                    out.mutable_data_ptr<float>(),
                                    out_};
    const kernels::Simd simd = kernels::best_simd();
    at::parallel_for(0, kernels::packed_linear_tasks(job), grain(in_), [&](std::int64_t begin, std::int64_t end) {
        kernels::packed_linear_cpu(job, {begin, end}, simd);
    });
}

}  // namespace omnisync::ops
