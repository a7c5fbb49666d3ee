// The layers that models are made of: parameters with a forward function. Plain float32 unless the caller converts.
#pragma once

#include <ATen/core/Tensor.h>

#include "weights/parameters.h"

namespace omnisync::weights {

enum class Bias { yes, no };

/// [..., in] -> [..., out].
struct Linear {
    at::Tensor weight;  ///< [out, in]
    at::Tensor bias;    ///< [out]; undefined without one

    Linear(const Scope& scope, std::int64_t in, std::int64_t out, Init init = Init::normal_fan_in,
           Bias with_bias = Bias::yes);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// Over the last dimension.
struct LayerNorm {
    at::Tensor weight;
    at::Tensor bias;
    double epsilon;

    LayerNorm(const Scope& scope, std::int64_t width, double epsilon = 1e-5);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// [B, in, T] -> [B, out, T / stride], zeros beyond the ends, `kernel` odd.
struct Conv1d {
    at::Tensor weight;  ///< [out, in, kernel]
    at::Tensor bias;
    std::int64_t stride;
    std::int64_t dilation;

    Conv1d(const Scope& scope, std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
           std::int64_t dilation = 1, Init init = Init::normal_fan_in);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace omnisync::weights
