#include "speech/wav2vec2.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/square.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "omnisync/error.h"
#include "speech/slaney_log_mel.h"

namespace omnisync::speech {
namespace {

constexpr std::int64_t kBlockSamples = 1 << 20;  // of a sound, where sums are taken in double
constexpr std::int64_t kBlockFrames = 500;       // convolved at once: the first layer needs 130 kB for each
constexpr std::int64_t kMlpFrames = 2048;        // whose hidden values, four times as wide, are held at once

weights::Scope model_of(const weights::Scope& scope) {
    return scope / "wav2vec2";
}

std::vector<BareConv> convs_of(const weights::Scope& scope, const Wav2Vec2Config& config) {
    std::vector<BareConv> convs;
    for (std::size_t i = 0; i < config.kernels.size(); ++i) {
        const std::int64_t in = i == 0 ? 1 : config.conv_width;
        convs.push_back(
            {(scope / static_cast<std::int64_t>(i) / "conv").get("weight", {config.conv_width, in, config.kernels[i]}),
             {},
             config.strides[i]});
    }
    return convs;
}

/// Weight normalisation: one length for each tap.
BareConv places_of(const weights::Scope& scope, const Wav2Vec2Config& config) {
    const bool newer = scope.has("parametrizations.weight.original0");
    const at::Tensor lengths =
        scope.get(newer ? "parametrizations.weight.original0" : "weight_g", {1, 1, config.place_kernel});
    const at::Tensor directions = scope.get(newer ? "parametrizations.weight.original1" : "weight_v",
                                            {config.width, config.width / config.place_groups, config.place_kernel});
    const at::Tensor wide = directions.to(at::kFloat);
    const at::Tensor norms = at::sqrt(at::square(wide).sum(at::IntArrayRef{0, 1}, true));
    return {(wide * (lengths.to(at::kFloat) / norms)).to(directions.scalar_type()), scope.get("bias", {config.width})};
}

std::int64_t rows_of(const Wav2Vec2Config& config, std::int64_t samples) {
    for (std::size_t i = 0; i < config.kernels.size(); ++i)
        samples = samples < config.kernels[i] ? 0 : (samples - config.kernels[i]) / config.strides[i] + 1;
    return samples;
}

/// Samples that `rows` frames look at.
std::int64_t samples_of(const Wav2Vec2Config& config, std::int64_t rows) {
    for (std::size_t i = config.kernels.size(); i-- > 0;) rows = (rows - 1) * config.strides[i] + config.kernels[i];
    return rows;
}

std::int64_t step_of(const Wav2Vec2Config& config) {
    return std::accumulate(config.strides.begin(), config.strides.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Wav2Vec2Reach unlimited_reach() {
    return {.longest = std::numeric_limits<std::int64_t>::max(), .context = 0};
}

StandardSound::StandardSound(const at::Tensor& samples_of)
    : samples(samples_of.size(0) < kShortestSound
                  ? at::constant_pad_nd(samples_of, {0, kShortestSound - samples_of.size(0)})
                  : samples_of) {
    const std::int64_t all = samples.size(0);
    const auto over_blocks = [&](auto&& sum_of) {
        double sum = 0;
        for (std::int64_t begin = 0; begin < all; begin += kBlockSamples)
            sum += sum_of(samples.narrow(0, begin, std::min(kBlockSamples, all - begin)).to(at::kDouble));
        return sum / static_cast<double>(all);
    };
    mean = over_blocks([](const at::Tensor& part) { return part.sum().item<double>(); });
    variance = over_blocks([&](const at::Tensor& part) { return at::square(part - mean).sum().item<double>(); });
}

at::Tensor StandardSound::part(std::int64_t begin, std::int64_t count) const {
    return (samples.narrow(0, begin, count).to(at::kFloat) - mean) / std::sqrt(variance + 1e-7);
}

at::Tensor BareConv::operator()(const at::Tensor& x) const {
    const std::int64_t groups = x.size(1) / weight.size(1);
    return at::conv1d(x, weight, bias.defined() ? std::optional(bias) : std::nullopt, at::IntArrayRef{stride},
                      at::IntArrayRef{0}, at::IntArrayRef{1}, groups);
}

Wav2Vec2Layer::Wav2Vec2Layer(const weights::Scope& scope, const Wav2Vec2Config& config)
    : attention(scope / "attention", config.width, config.heads),
      attention_norm(scope / "layer_norm", config.width),
      up(scope / "feed_forward" / "intermediate_dense", config.width, config.mlp),
      down(scope / "feed_forward" / "output_dense", config.mlp, config.width),
      mlp_norm(scope / "final_layer_norm", config.width) {}

at::Tensor Wav2Vec2Layer::operator()(const at::Tensor& x) const {
    const at::Tensor heard = attention_norm(x + attention(x));
    std::vector<at::Tensor> blocks;
    for (const at::Tensor& block : heard.split(kMlpFrames, 1))
        blocks.push_back(mlp_norm(block + down(at::gelu(up(block)))));
    return at::cat(blocks, 1);
}

Wav2Vec2::Wav2Vec2(const weights::Scope& scope, const Wav2Vec2Config& config_of)
    : config(config_of),
      convs(convs_of(model_of(scope) / "feature_extractor" / "conv_layers", config)),
      first_norm(model_of(scope) / "feature_extractor" / "conv_layers" / 0 / "layer_norm", config.conv_width),
      projection_norm(model_of(scope) / "feature_projection" / "layer_norm", config.conv_width),
      projection(model_of(scope) / "feature_projection" / "projection", config.conv_width, config.width),
      places(places_of(model_of(scope) / "encoder" / "pos_conv_embed" / "conv", config)),
      norm(model_of(scope) / "encoder" / "layer_norm", config.width) {
    for (std::int64_t i = 0; i < config.layers; ++i)
        layers.emplace_back(model_of(scope) / "encoder" / "layers" / i, config);
}

BareConv Wav2Vec2::first_for(const StandardSound& sound) const {
    // Mean and variance of a linear filter's output follow from the mean and the products of what it is applied to.
    const std::int64_t kernel = config.kernels[0];
    const std::int64_t stride = config.strides[0];
    const std::int64_t outputs = (sound.samples.size(0) - kernel) / stride + 1;
    const std::int64_t at_once = kBlockSamples / stride;
    at::Tensor sums = at::zeros({kernel}, sound.samples.options().dtype(at::kDouble));
    at::Tensor products = at::zeros({kernel, kernel}, sums.options());
    for (std::int64_t begin = 0; begin < outputs; begin += at_once) {
        const std::int64_t count = std::min(at_once, outputs - begin);
        const at::Tensor heard = sound.part(begin * stride, (count - 1) * stride + kernel).to(at::kDouble);
        const at::Tensor windows = heard.unfold(0, kernel, stride);
        sums += windows.sum(0);
        products += at::matmul(windows.t(), windows);
    }
    const at::Tensor filters = convs[0].weight.squeeze(1).to(sums.options());
    const at::Tensor mean = at::matmul(filters, sums / outputs);
    const at::Tensor power = (at::matmul(filters, products / outputs) * filters).sum(1);
    const at::Tensor spread = at::sqrt((power - at::square(mean)).clamp_min(0) + first_norm.epsilon);
    const at::Tensor gain = first_norm.weight.to(sums.options()) / spread;
    const at::Tensor offset = first_norm.bias.to(sums.options()) - mean * gain;
    const at::TensorOptions options = convs[0].weight.options();
    return {(filters * gain.unsqueeze(1)).unsqueeze(1).to(options), offset.to(options), stride};
}

at::Tensor Wav2Vec2::convolve(const StandardSound& sound, const BareConv& first, std::int64_t begin,
                              std::int64_t end) const {
    std::vector<at::Tensor> blocks;
    for (std::int64_t done = begin; done < end; done += kBlockFrames) {
        const std::int64_t count = std::min(kBlockFrames, end - done);
        const at::Tensor part = sound.part(done * step_of(config), samples_of(config, count));
        at::Tensor x = at::gelu(first(part.to(first.weight.options()).view({1, 1, -1})));
        for (std::size_t i = 1; i < convs.size(); ++i) x = at::gelu(convs[i](x));
        blocks.push_back(x[0].t());
    }
    return at::cat(blocks);
}

at::Tensor Wav2Vec2::project(const at::Tensor& frames) const {
    return projection(projection_norm(frames));
}

at::Tensor Wav2Vec2::place(const at::Tensor& projected, std::int64_t skip, std::int64_t count) const {
    // The released model pads both ends by a half and drops the last: kernel - 1 in all.
    const std::int64_t before = config.place_kernel / 2;
    const std::int64_t after = config.place_kernel - 1 - before;
    const std::int64_t from = skip - before;
    const std::int64_t to = skip + count + after;
    const at::Tensor row =
        at::constant_pad_nd(projected.t(), {-from, to - projected.size(0)});  // negative padding cuts off
    return at::gelu(places(row.unsqueeze(0)))[0].t();
}

at::Tensor Wav2Vec2::operator()(const StandardSound& sound, const Wav2Vec2Reach& reach) const {
    const std::int64_t all = rows_of(config, sound.samples.size(0));
    const std::int64_t longest = std::min(reach.longest, all);
    require(longest == all || longest > 2 * reach.context, ExitCode::internal, "windows of nothing but context");
    const BareConv first = first_for(sound);
    const at::Tensor rows = at::empty({all, config.width}, sound.samples.options().dtype(norm.weight.scalar_type()));
    for (std::int64_t done = 0; done < all;) {
        const std::int64_t begin = std::clamp<std::int64_t>(done - reach.context, 0, all - longest);
        const std::int64_t end = begin + longest;
        const std::int64_t halo_begin = std::max<std::int64_t>(0, begin - config.place_kernel);
        const std::int64_t halo_end = std::min(all, end + config.place_kernel);
        const at::Tensor projected = project(convolve(sound, first, halo_begin, halo_end));
        const at::Tensor own = projected.narrow(0, begin - halo_begin, longest);
        at::Tensor x = norm(own + place(projected, begin - halo_begin, longest)).unsqueeze(0);
        for (const Wav2Vec2Layer& layer : layers) x = layer(x);
        const std::int64_t kept_to = end == all ? all : end - reach.context;
        rows.narrow(0, done, kept_to - done).copy_(x[0].narrow(0, done - begin, kept_to - done));
        done = kept_to;
    }
    return rows;
}

std::int64_t wav2vec2_rows(std::int64_t samples) {
    return rows_of(Wav2Vec2Config{}, std::max(samples, kShortestSound));
}

}  // namespace omnisync::speech
