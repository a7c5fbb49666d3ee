#include "speech/log_mel.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/square.h>

#include <algorithm>
#include <cmath>

namespace omnisync::speech {
namespace {

constexpr int kFft = 512;
constexpr double kSmallest = 1e-10;  // power of a sound that nobody hears

/// [kFft / 2 + 1, kBands]
at::Tensor make_filters() {
    const double top = 2595.0 * std::log10(1.0 + kRateHz / 2.0 / 700.0);
    const at::Tensor mels = at::linspace(0, top, kBands + 2, at::kDouble);
    const at::Tensor edges = 700.0 * ((mels / 2595.0 * std::log(10.0)).exp() - 1.0);
    const at::Tensor bins = at::arange(kFft / 2 + 1, at::kDouble).unsqueeze(1) * (double{kRateHz} / kFft);
    const at::Tensor low = edges.narrow(0, 0, kBands);
    const at::Tensor middle = edges.narrow(0, 1, kBands);
    const at::Tensor high = edges.narrow(0, 2, kBands);
    return at::minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clamp_min(0).to(at::kFloat);
}

}  // namespace

at::Tensor mel_power(const at::Tensor& samples) {
    static const at::Tensor filters = make_filters();
    static const at::Tensor window = at::hann_window(kWindow, at::kFloat);
    const std::int64_t frames = samples.size(0) / kHop + 1;
    const std::int64_t before = kWindow / 2;
    const std::int64_t needed = (frames - 1) * kHop + kWindow;
    const at::Tensor padded =
        at::constant_pad_nd(samples, {before, std::max<std::int64_t>(0, needed - before - samples.size(0))});
    const at::Tensor spectrum = at::fft_rfft(padded.unfold(0, kWindow, kHop) * window, kFft);
    return at::matmul(at::square(at::abs(spectrum)), filters);
}

MelLevel measure_level(const at::Tensor& power) {
    const at::Tensor nepers = power.clamp_min(kSmallest).log();
    MelLevel level;
    level.peak = nepers.max().item<double>();
    const at::Tensor floored = nepers.clamp_min(level.peak - kFloorNepers);
    level.mean = floored.mean().item<double>();
    level.deviation = std::max(1e-3, floored.std().item<double>());
    return level;
}

at::Tensor normalise(const at::Tensor& power, const MelLevel& level) {
    return (power.clamp_min(kSmallest).log().clamp_min(level.peak - kFloorNepers) - level.mean) / level.deviation;
}

}  // namespace omnisync::speech
