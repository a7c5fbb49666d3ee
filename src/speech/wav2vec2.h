// wav2vec2-base: what a sound is like, 50 times a second (X-Dub spec, section 5).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "speech/attention.h"
#include "weights/layers.h"

namespace omnisync::speech {

/// The sizes of wav2vec2-base-960h unless said otherwise.
struct Wav2Vec2Config {
    std::int64_t conv_width = 512;
    std::vector<std::int64_t> kernels = {10, 3, 3, 3, 3, 2, 2};
    std::vector<std::int64_t> strides = {5, 2, 2, 2, 2, 2, 2};
    std::int64_t width = 768;
    std::int64_t heads = 12;
    std::int64_t layers = 12;
    std::int64_t mlp = 3072;
    std::int64_t place_kernel = 128;  ///< of the convolution that tells positions
    std::int64_t place_groups = 16;
};

/// How far a frame's attention reaches. Up to `longest` frames it is over the whole sound, as in the released model;
/// the work grows with the square of the length (0.5 TFLOP for 30 s, 41 for 10 minutes: less than a hundredth of one
/// clip's denoising). Longer sounds are read in windows of `longest`, of which all but `context` frames at each inner
/// end are kept. Whatever comes before the attention (standardisation, norms, convolutions) is the whole sound's either
/// way.
///
/// How much windows change: untrained weights, which look everywhere alike, are the worst case. There, two windows of
/// two thirds of a sound that is loud at its end alone change features by 5 % in the mean, and 20 % at most, near the
/// seam. Trained weights were not measured.
struct Wav2Vec2Reach {
    std::int64_t longest = 30'000;  ///< 10 minutes; more than 2 * context
    std::int64_t context = 1500;    ///< 30 s
};
/// The released model's for any length.
[[nodiscard]] Wav2Vec2Reach unlimited_reach();

/// A sound with its own mean and spread: (x - mean) / sqrt(variance + 1e-7) is what the model hears.
struct StandardSound {
    at::Tensor samples;  ///< [n], float32; at least kShortestSound
    double mean = 0;
    double variance = 0;

    /// `samples` [n] at 16 kHz; a shorter one than kShortestSound is continued with silence.
    explicit StandardSound(const at::Tensor& samples);
    /// [count] from `begin` on, standardised, float32.
    [[nodiscard]] at::Tensor part(std::int64_t begin, std::int64_t count) const;
};

/// A convolution without padding.
struct BareConv {
    at::Tensor weight;  ///< [out, in, kernel]
    at::Tensor bias;    ///< undefined without one
    std::int64_t stride = 1;

    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// x = norm(x + attention(x)), then x = norm(x + mlp(x)): [B, n, width] -> the same.
struct Wav2Vec2Layer {
    SelfAttention attention;
    weights::LayerNorm attention_norm;
    weights::Linear up;
    weights::Linear down;
    weights::LayerNorm mlp_norm;

    Wav2Vec2Layer(const weights::Scope& scope, const Wav2Vec2Config& config);
    [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
};

/// Computes with the weights' type on their device; gives results back on the sound's. Beyond the result (0.55 GB for
/// an hour in float32), the weights and the sound it needs about 0.2 GB and 15 kB for each frame of one window
/// (float32).
struct Wav2Vec2 {
    Wav2Vec2Config config;
    std::vector<BareConv> convs;
    weights::LayerNorm first_norm;  ///< over time, of the first convolution: see first_for()
    weights::LayerNorm projection_norm;
    weights::Linear projection;
    BareConv places;
    weights::LayerNorm norm;
    std::vector<Wav2Vec2Layer> layers;

    /// `scope`: the whole file (names `wav2vec2...`). The weight-normalised convolution may be spelled `weight_g` and
    /// `weight_v` or `parametrizations.weight.original0` and `1`.
    Wav2Vec2(const weights::Scope& scope, const Wav2Vec2Config& config = {});

    /// The last layer's output: [wav2vec2_rows(n), width].
    [[nodiscard]] at::Tensor operator()(const StandardSound& sound, const Wav2Vec2Reach& reach = {}) const;

    // The steps of it.

    /// The first convolution with the norm of this sound folded in: the norm is over all its time, which is measured
    /// without making the convolution's output.
    [[nodiscard]] BareConv first_for(const StandardSound& sound) const;
    /// Frames [begin, end) after the convolutions: [end - begin, conv_width].
    [[nodiscard]] at::Tensor convolve(const StandardSound& sound, const BareConv& first, std::int64_t begin,
                                      std::int64_t end) const;
    /// [n, conv_width] -> [n, width].
    [[nodiscard]] at::Tensor project(const at::Tensor& frames) const;
    /// What is added to projected frames to tell their positions, zeros being beyond: [n, width], of which frames
    /// [skip, skip + count) are wanted -> [count, width].
    [[nodiscard]] at::Tensor place(const at::Tensor& projected, std::int64_t skip, std::int64_t count) const;
};

/// Frames that the convolutions of the released model give for `samples` samples, kShortestSound at least.
[[nodiscard]] std::int64_t wav2vec2_rows(std::int64_t samples);

}  // namespace omnisync::speech
