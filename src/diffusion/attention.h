// Attention with normalised queries and keys, in two halves: who asks and who is asked. Keys and values that stay the
// same over the steps of a sampling are computed once, and their weights need not be there afterwards.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "weights/layers.h"

namespace omnisync::diffusion {

/// x / sqrt(mean(x^2) + epsilon) * gain, over the last dimension; the mean in float32, rounded to x's type before the
/// gain (as the Wan transformers do: spec xdub.md, 1.7 and 1.10).
[[nodiscard]] at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon);

struct AttentionShape {
    std::int64_t width = 0;
    std::int64_t heads = 0;
    double epsilon = 1e-6;  ///< of the normalisation, which is over all heads together
};

/// Both [B, heads, tokens, head_dim].
struct KeyValue {
    at::Tensor key;
    at::Tensor value;

    /// The same for `batch` sequences: B = 1 becomes B = batch, without a copy.
    [[nodiscard]] KeyValue expand(std::int64_t batch) const;
};

/// Tensors "k", "v" and "norm_k".
class KeySide {
public:
    KeySide(const weights::Scope& scope, const AttentionShape& shape);
    /// `x` [B, tokens, width]; `rotor` of rotary_3d.h, or undefined.
    [[nodiscard]] KeyValue operator()(const at::Tensor& x, const at::Tensor& rotor = {}) const;

private:
    AttentionShape shape_;
    weights::Linear k_;
    weights::Linear v_;
    at::Tensor gain_;
};

/// Tensors "q", "norm_q" and "o".
class QuerySide {
public:
    QuerySide(const weights::Scope& scope, const AttentionShape& shape);
    /// What `x` [B, tokens, width] gathers from `memory`: [B, tokens, width], a new tensor. `log_counts` [memory's
    /// tokens], float32: key i stands for exp(log_counts[i]) equal ones; undefined: each stands for itself.
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const KeyValue& memory, const at::Tensor& rotor = {},
                                        const at::Tensor& log_counts = {}) const;

private:
    AttentionShape shape_;
    weights::Linear q_;
    weights::Linear o_;
    at::Tensor gain_;
};

}  // namespace omnisync::diffusion
