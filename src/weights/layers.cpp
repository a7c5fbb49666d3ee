#include "weights/layers.h"

#include <ATen/ops/conv1d.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

namespace omnisync::weights {

Linear::Linear(const Scope& scope, std::int64_t in, std::int64_t out, Init init, Bias with_bias)
    : weight(scope.get("weight", {out, in}, init)) {
    if (with_bias == Bias::yes) bias = scope.get("bias", {out}, Init::zeros);
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
    return at::linear(x, weight, bias.defined() ? std::optional(bias) : std::nullopt);
}

LayerNorm::LayerNorm(const Scope& scope, std::int64_t width, double epsilon_of)
    : weight(scope.get("weight", {width}, Init::ones)),
      bias(scope.get("bias", {width}, Init::zeros)),
      epsilon(epsilon_of) {}

at::Tensor LayerNorm::operator()(const at::Tensor& x) const {
    return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
}

Conv1d::Conv1d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride_of,
               std::int64_t dilation_of, Init init)
    : weight(scope.get("weight", {out, in, kernel}, init)),
      bias(scope.get("bias", {out}, Init::zeros)),
      stride(stride_of),
      dilation(dilation_of) {}

at::Tensor Conv1d::operator()(const at::Tensor& x) const {
    return at::conv1d(x, weight, bias, {stride}, {dilation * (weight.size(2) - 1) / 2}, {dilation});
}

}  // namespace omnisync::weights
