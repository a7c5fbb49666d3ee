#include "diffusion/modulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>

#include "ops/bias_activation.h"
#include "ops/gated_norm.h"
#include "ops/inference.h"

namespace omnisync::diffusion {
namespace {

template <class Act>
void on_both_parts(const at::Tensor& x, std::int64_t at_rest, const Act& act) {
    if (at_rest > 0) act(x.narrow(1, 0, at_rest), 0);
    if (at_rest < x.size(1)) act(x.narrow(1, at_rest, x.size(1) - at_rest), 1);
}

}  // namespace

at::Tensor time_waves(at::ArrayRef<double> times, std::int64_t width) {
    const std::int64_t half = width / 2;
    const at::Tensor turns = at::pow(10'000.0, at::arange(half, at::kDouble) / static_cast<double>(-half));
    const at::Tensor angles = at::tensor(times, at::kDouble).unsqueeze(1) * turns;
    return at::cat({at::cos(angles), at::sin(angles)}, 1);
}

at::Tensor modulated_norm(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, std::int64_t at_rest,
                          double epsilon) {
    if (ops::fused_bfloat16(x)) {
        const at::Tensor out = at::empty_like(x, at::MemoryFormat::Contiguous);
        ops::gated_norm({.x = x, .out = out, .epsilon = epsilon, .scale = scale, .shift = shift, .at_rest = at_rest});
        return out;
    }
    const at::Tensor y = at::layer_norm(x, {x.size(-1)}, {}, {}, epsilon);
    on_both_parts(y, at_rest, [&](at::Tensor part, int row) { part.mul_(scale[row] + 1).add_(shift[row]); });
    return y;
}

void join_(const at::Tensor& x, const at::Tensor& branch, const at::Tensor& gate, std::int64_t at_rest) {
    if (ops::fused(x))
        return ops::gated_norm({.x = x, .branch = branch, .gate = gate, .at_rest = gate.defined() ? at_rest : -1});
    if (gate.defined()) on_both_parts(branch, at_rest, [&](at::Tensor part, int row) { part.mul_(gate[row]); });
    x.add_(branch);
}

void gelu_tanh_(const at::Tensor& x) {
    if (ops::fused_bfloat16(x)) return ops::bias_activation_(x, {}, kernels::Activation::gelu_tanh);
    at::Tensor changed = x;
    at::gelu_(changed, "tanh");
}

}  // namespace omnisync::diffusion
