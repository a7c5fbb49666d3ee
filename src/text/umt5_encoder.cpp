#include "text/umt5_encoder.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/square.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "omnisync/error.h"

namespace omnisync::text {
namespace {

constexpr std::int64_t kEndOfPrompt = 1;  // the word that an empty prompt consists of
constexpr double kEpsilon = 1e-6;
constexpr double kMasked = -3.3895e38;  // takes the place of the bias: the lowest that bfloat16 holds, too

/// Root mean square over the last dimension, in float32 whatever the type.
at::Tensor normed(const at::Tensor& x, const at::Tensor& gain) {
    const at::Tensor wide = x.to(at::kFloat);
    return (wide * at::rsqrt(at::square(wide).mean(-1, true) + kEpsilon)).to(x.scalar_type()) * gain;
}

at::Tensor norm_of(const weights::Scope& scope, const Umt5Config& config) {
    return scope.get("weight", {config.width}, weights::Init::ones);
}

at::Tensor matrix(const weights::Scope& scope, std::int64_t out, std::int64_t in) {
    return scope.get("weight", {out, in});
}

at::Tensor distances_of(const weights::Scope& scope, const Umt5Config& config) {
    return (scope / "pos_embedding" / "embedding").get("weight", {config.buckets, config.heads});
}

at::Tensor table_of(const Umt5Config& config, std::int64_t length) {
    const at::Tensor buckets = at::empty({length, length}, at::kLong);
    auto cells = buckets.accessor<std::int64_t, 2>();
    for (std::int64_t query = 0; query < length; ++query)
        for (std::int64_t key = 0; key < length; ++key) cells[query][key] = relative_bucket(key - query, config);
    return buckets;
}

at::Tensor attend(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& x, std::int64_t valid) {
    const weights::Scope attention = scope / "attn";
    const std::int64_t length = x.size(0);
    const auto headed = [&](const char* name) {
        return at::linear(x, matrix(attention / name, config.attention_width, config.width))
            .view({1, length, config.heads, config.attention_width / config.heads})
            .transpose(1, 2);
    };
    const at::Tensor table = table_of(config, length).to(x.device());
    at::Tensor bias = at::embedding(distances_of(scope, config), table).permute({2, 0, 1}).contiguous();
    bias.narrow(2, valid, length - valid).fill_(kMasked);
    const at::Tensor mixed = at::scaled_dot_product_attention(headed("q"), headed("k"), headed("v"), bias.unsqueeze(0),
                                                              /*dropout_p=*/0, /*is_causal=*/false, /*scale=*/1.0);
    return at::linear(mixed.transpose(1, 2).reshape({length, config.attention_width}),
                      matrix(attention / "o", config.width, config.attention_width));
}

/// What one word makes of itself: with a single key the softmax is 1.
at::Tensor attend_to_itself(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& x) {
    const weights::Scope attention = scope / "attn";
    const at::Tensor value = at::linear(x, matrix(attention / "v", config.attention_width, config.width));
    return at::linear(value, matrix(attention / "o", config.width, config.attention_width));
}

at::Tensor gated_mlp(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& x) {
    const weights::Scope mlp = scope / "ffn";
    const at::Tensor gate = at::gelu(at::linear(x, matrix(mlp / "gate" / 0, config.mlp, config.width)), "tanh");
    const at::Tensor up = at::linear(x, matrix(mlp / "fc1", config.mlp, config.width));
    return at::linear(up * gate, matrix(mlp / "fc2", config.width, config.mlp));
}

at::Tensor word(const weights::Scope& scope, const Umt5Config& config, std::int64_t id) {
    require(id >= 0 && id < config.vocabulary, ExitCode::bad_data, "word ", id, " is beyond the vocabulary of ",
            config.vocabulary);
    return (scope / "token_embedding").row("weight", {config.vocabulary, config.width}, id);
}

}  // namespace

std::int64_t relative_bucket(std::int64_t distance, const Umt5Config& config) {
    const std::int64_t half = config.buckets / 2;
    const std::int64_t exact = half / 2;
    const std::int64_t side = distance > 0 ? half : 0;
    const std::int64_t far = std::abs(distance);
    if (far < exact) return side + far;
    const double octaves = std::log(static_cast<double>(far) / static_cast<double>(exact)) /
                           std::log(static_cast<double>(config.farthest) / static_cast<double>(exact));
    // The small term keeps powers of two, which begin a bucket, from falling below it.
    const auto coarse = static_cast<std::int64_t>(octaves * static_cast<double>(half - exact) + 1e-9);
    return side + std::min(exact + coarse, half - 1);
}

at::Tensor umt5_layer(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& x, std::int64_t valid) {
    const at::Tensor heard = x + attend(scope, config, normed(x, norm_of(scope / "norm1", config)), valid);
    return heard + gated_mlp(scope, config, normed(heard, norm_of(scope / "norm2", config)));
}

at::Tensor encode_prompt(const weights::Scope& scope, const Umt5Config& config, const at::Tensor& ids,
                         std::int64_t valid) {
    require(valid > 0 && valid <= ids.size(0), ExitCode::internal, valid, " words of ", ids.size(0));
    std::vector<at::Tensor> words;
    for (std::int64_t i = 0; i < ids.size(0); ++i) words.push_back(word(scope, config, ids[i].item<std::int64_t>()));
    at::Tensor x = at::stack(words);
    for (std::int64_t i = 0; i < config.layers; ++i) x = umt5_layer(scope / "blocks" / i, config, x, valid);
    x = normed(x, norm_of(scope / "norm", config));
    x.narrow(0, valid, x.size(0) - valid).zero_();
    return x;
}

at::Tensor empty_prompt_row(const weights::Scope& scope, const Umt5Config& config) {
    at::Tensor x = word(scope, config, kEndOfPrompt);
    for (std::int64_t i = 0; i < config.layers; ++i) {
        const weights::Scope layer = scope / "blocks" / i;
        x = x + attend_to_itself(layer, config, normed(x, norm_of(layer / "norm1", config)));
        x = x + gated_mlp(layer, config, normed(x, norm_of(layer / "norm2", config)));
    }
    return normed(x, norm_of(scope / "norm", config));
}

void note_umt5(const weights::Scope& scope, const Umt5Config& config) {
    (void)word(scope, config, kEndOfPrompt);
    for (std::int64_t i = 0; i < config.layers; ++i) {
        const weights::Scope layer = scope / "blocks" / i;
        (void)norm_of(layer / "norm1", config);
        (void)norm_of(layer / "norm2", config);
        for (const char* name : {"q", "k", "v"})
            (void)matrix(layer / "attn" / name, config.attention_width, config.width);
        (void)matrix(layer / "attn" / "o", config.width, config.attention_width);
        (void)distances_of(layer, config);
        (void)matrix(layer / "ffn" / "gate" / 0, config.mlp, config.width);
        (void)matrix(layer / "ffn" / "fc1", config.mlp, config.width);
        (void)matrix(layer / "ffn" / "fc2", config.width, config.mlp);
    }
    (void)norm_of(scope / "norm", config);
}

}  // namespace omnisync::text
