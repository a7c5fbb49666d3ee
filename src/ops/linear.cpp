#include "ops/linear.h"

#include <ATen/Parallel.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>

#include "kernels/int8_linear.h"
#include "kernels/packed_linear.h"
#include "ops/tensor_checks.h"

namespace omnisync::ops {
namespace {

constexpr const char* kName = "linear";

void check(const char* name, const at::Tensor& tensor, std::int64_t columns, const at::TensorOptions& weights) {
    check_plain(kName, name, tensor);
    if (!tensor.is_contiguous() || tensor.dim() == 0 || tensor.size(-1) != columns ||
        tensor.dtype() != weights.dtype() || tensor.device() != weights.device())
        refuse(kName, name, tensor,
               "be contiguous with rows of " + std::to_string(columns) + ", of the weights' type and device");
}

/// Tasks that are worth waking a thread for: some 30 us.
std::int64_t grain(std::int64_t in) {
    return std::max<std::int64_t>(1, 800 / std::max<std::int64_t>(in, 1));
}

}  // namespace

FixedLinear::FixedLinear(const at::Tensor& weight, const at::Tensor& bias, Rounding rounding)
    : in_(weight.size(1)), out_(weight.size(0)), bias_(bias.defined() ? bias.contiguous() : bias) {
    if (!weight.is_cpu() || weight.scalar_type() != at::kFloat) {
        weight_ = weight.t();
        return;
    }
    const at::Tensor given = weight.contiguous();
    if (rounding == Rounding::int8) {
        packed_ = at::empty({kernels::int8_linear_size(in_, out_)}, at::kChar);
        scale_ = at::empty({out_}, at::kFloat);
        offset_ = at::empty({out_}, at::kInt);
        kernels::pack_int8_linear(given.const_data_ptr<float>(), in_, out_, packed_.mutable_data_ptr<std::int8_t>(),
                                  scale_.mutable_data_ptr<float>(), offset_.mutable_data_ptr<std::int32_t>());
        return;
    }
    packed_ = at::empty({kernels::packed_linear_size(in_, out_)}, at::kFloat);
    kernels::pack_linear(given.const_data_ptr<float>(), in_, out_, packed_.mutable_data_ptr<float>());
}

void FixedLinear::multiply_packed(const at::Tensor& x, std::int64_t rows, const at::Tensor& out) const {
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

void FixedLinear::multiply_int8(const at::Tensor& x, std::int64_t rows, const at::Tensor& out) const {
    const at::Tensor& rounded = rounded_.get(0, {rows, kernels::int8_inputs(in_)}, at::kByte);
    const at::Tensor& row_scale = rounded_.get(1, {rows}, at::kFloat);
    const kernels::Int8Linear job{rows,
                                  in_,
                                  out_,
                                  x.const_data_ptr<float>(),
                                  rounded.mutable_data_ptr<std::uint8_t>(),
                                  row_scale.mutable_data_ptr<float>(),
                                  packed_.const_data_ptr<std::int8_t>(),
                                  scale_.const_data_ptr<float>(),
                                  offset_.const_data_ptr<std::int32_t>(),
                                  bias_.defined() ? bias_.const_data_ptr<float>() : nullptr,
                                  out.mutable_data_ptr<float>()};
    at::parallel_for(0, kernels::int8_round_tasks(job), tasks_per_thread(in_),
                     [&](std::int64_t begin, std::int64_t end) {
                         kernels::int8_round_cpu(job, {begin, end});
                     });
    at::parallel_for(0, kernels::int8_linear_tasks(job), 3 * grain(in_), [&](std::int64_t begin, std::int64_t end) {
        kernels::int8_linear_cpu(job, {begin, end});
    });
}

void FixedLinear::operator()(const at::Tensor& x, const at::Tensor& out) const {
    const at::TensorOptions options = weight_.defined() ? weight_.options() : at::TensorOptions(at::kFloat);
    check("x", x, in_, options);
    check("out", out, out_, options);
    const std::int64_t rows = x.numel() / std::max<std::int64_t>(in_, 1);
    if (out.numel() != rows * out_) refuse(kName, "out", out, "have a row for each of x");
    if (scale_.defined()) return multiply_int8(x, rows, out);
    if (packed_.defined()) return multiply_packed(x, rows, out);
    at::Tensor product = out.view({rows, out_});
    bias_.defined() ? at::addmm_out(product, bias_, x.view({rows, in_}), weight_)
                    : at::mm_out(product, x.view({rows, in_}), weight_);
}

}  // namespace omnisync::ops
