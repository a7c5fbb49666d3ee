// The self-attention that both speech encoders share, under the names of Hugging Face's files.
#pragma once

#include <ATen/core/Tensor.h>

#include "weights/layers.h"

namespace omnisync::speech {

/// [B, n, width] -> [B, n, width]: every position looks at every other. Memory grows with n, not with its square.
struct SelfAttention {
    std::int64_t heads;
    weights::Linear query;
    weights::Linear key;
    weights::Linear value;
    weights::Linear out;

    /// Tensors `q_proj`, `k_proj`, `v_proj`, `out_proj` of `scope`.
    SelfAttention(const weights::Scope& scope, std::int64_t width, std::int64_t heads,
                  weights::Bias key_bias = weights::Bias::yes);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace omnisync::speech
