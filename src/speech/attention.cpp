#include "speech/attention.h"

#include <ATen/ops/scaled_dot_product_attention.h>

namespace omnisync::speech {

SelfAttention::SelfAttention(const weights::Scope& scope, std::int64_t width, std::int64_t heads_of,
                             weights::Bias key_bias)
    : heads(heads_of),
      query(scope / "q_proj", width, width),
      key(scope / "k_proj", width, width, weights::Init::normal_fan_in, key_bias),
      value(scope / "v_proj", width, width),
      out(scope / "out_proj", width, width) {}

at::Tensor SelfAttention::operator()(const at::Tensor& x) const {
    const auto split = [&](const at::Tensor& t) {
        return t.view({t.size(0), t.size(1), heads, t.size(2) / heads}).transpose(1, 2);
    };
    const at::Tensor mixed = at::scaled_dot_product_attention(split(query(x)), split(key(x)), split(value(x)));
    return out(mixed.transpose(1, 2).reshape(x.sizes()));
}

}  // namespace omnisync::speech
