#include "diffusion/attention.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mean.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/softmax.h>

#include <cmath>

#include "diffusion/rotary_3d.h"
#include "ops/inference.h"
#include "ops/qk_norm_rope.h"

namespace omnisync::diffusion {
namespace {

/// [B, tokens, width] -> [B, heads, tokens, head_dim]
at::Tensor split_heads(const at::Tensor& x, std::int64_t heads) {
    return x.view({x.size(0), x.size(1), heads, x.size(2) / heads}).transpose(1, 2);
}

/// Few keys, so that the logits are small; in float32, because a logarithm of a count has no room in bfloat16.
at::Tensor attend_counted(const at::Tensor& query, const KeyValue& memory, const at::Tensor& log_counts) {
    const double scale = 1 / std::sqrt(static_cast<double>(query.size(-1)));
    at::Tensor logits = at::matmul(query.to(at::kFloat), memory.key.to(at::kFloat).transpose(-2, -1));
    logits.mul_(scale).add_(log_counts);
    return at::matmul(at::softmax(logits, -1), memory.value.to(at::kFloat)).to(query.scalar_type());
}

/// Normalised over all heads, turned by the rotor where there is one. `x` [B, tokens, width] is used up.
at::Tensor made_ready(at::Tensor x, const at::Tensor& gain, const AttentionShape& shape, const at::Tensor& rotor) {
    if (ops::fused_bfloat16(x)) {
        ops::qk_norm_rope({.q = x.unflatten(-1, {shape.heads, shape.width / shape.heads}),
                           .norm = kernels::QkNorm::token,
                           .epsilon = shape.epsilon,
                           .q_gain = gain,
                           .rotation = rotor.defined() ? kernels::Rotation::pairs : kernels::Rotation::none,
                           .cos = rotor});
        return x;
    }
    x = rms_norm(x, gain, shape.epsilon);
    return rotor.defined() ? rotate_pairs(std::move(x), rotor) : x;
}

}  // namespace

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& gain, double epsilon) {
    const at::Tensor wide = x.to(at::kFloat);
    const at::Tensor inverse = at::rsqrt(at::mean(wide * wide, -1, true) + epsilon);
    return (wide * inverse).to(x.scalar_type()).mul_(gain);
}

KeyValue KeyValue::expand(std::int64_t batch) const {
    return {key.expand({batch, -1, -1, -1}), value.expand({batch, -1, -1, -1})};
}

KeySide::KeySide(const weights::Scope& scope, const AttentionShape& shape)
    : shape_(shape),
      k_(scope / "k", shape.width, shape.width),
      v_(scope / "v", shape.width, shape.width),
      gain_(scope.get("norm_k.weight", {shape.width}, weights::Init::ones)) {}

KeyValue KeySide::operator()(const at::Tensor& x, const at::Tensor& rotor) const {
    const at::Tensor key = made_ready(k_(x), gain_, shape_, rotor);
    return {split_heads(key, shape_.heads), split_heads(v_(x), shape_.heads)};
}

QuerySide::QuerySide(const weights::Scope& scope, const AttentionShape& shape)
    : shape_(shape),
      q_(scope / "q", shape.width, shape.width),
      o_(scope / "o", shape.width, shape.width),
      gain_(scope.get("norm_q.weight", {shape.width}, weights::Init::ones)) {}

at::Tensor QuerySide::operator()(const at::Tensor& x, const KeyValue& memory, const at::Tensor& rotor,
                                 const at::Tensor& log_counts) const {
    const at::Tensor heads = split_heads(made_ready(q_(x), gain_, shape_, rotor), shape_.heads);
    const KeyValue asked = memory.expand(x.size(0));
    const at::Tensor seen = log_counts.defined() ? attend_counted(heads, asked, log_counts)
                                                 : at::scaled_dot_product_attention(heads, asked.key, asked.value);
    return o_(seen.transpose(1, 2).reshape(x.sizes()));
}

}  // namespace omnisync::diffusion
