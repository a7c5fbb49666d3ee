#include "speech/log_mel.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "ops/log_mel.h"

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

/// Whole windows of `samples`: [n] -> [(n - kWindow) / kHop + 1, kBands].
at::Tensor power_of_windows(const at::Tensor& samples) {
    static const ops::MelBands bands(at::hann_window(kWindow, at::kFloat), kFft, make_filters().t(), false);
    return bands(samples, kHop);
}

}  // namespace

MelReader::MelReader() : waiting_(at::zeros({kWindow / 2})) {}

void MelReader::add(const at::Tensor& samples) {
    samples_ += samples.size(0);
    const at::Tensor all = at::cat({waiting_, samples});
    const std::int64_t ready = all.size(0) < kWindow ? 0 : (all.size(0) - kWindow) / kHop + 1;
    if (ready > 0) power_.push_back(power_of_windows(all.narrow(0, 0, (ready - 1) * kHop + kWindow)));
    frames_ += ready;
    waiting_ = all.narrow(0, ready * kHop, all.size(0) - ready * kHop).clone();
}

at::Tensor MelReader::finish() {
    const std::int64_t missing = samples_ / kHop + 1 - frames_;
    if (missing > 0) {
        const std::int64_t needed = (missing - 1) * kHop + kWindow;
        power_.push_back(power_of_windows(at::constant_pad_nd(waiting_, {0, needed - waiting_.size(0)})));
    }
    const at::Tensor all = at::cat(power_);
    power_.clear();  // as large as `all`
    return all;
}

at::Tensor mel_power(const at::Tensor& samples) {
    MelReader reader;
    reader.add(samples);
    return reader.finish();
}

MelLevel measure_level(const at::Tensor& power) {
    const at::Tensor nepers = power.clamp_min(kSmallest).log_();  // in place from here on: it is long
    MelLevel level;
    level.peak = nepers.max().item<double>();
    nepers.clamp_min_(level.peak - kFloorNepers);
    level.mean = nepers.mean().item<double>();
    level.deviation = std::max(1e-3, nepers.std().item<double>());
    return level;
}

at::Tensor normalise(const at::Tensor& power, const MelLevel& level) {
    return (power.clamp_min(kSmallest).log().clamp_min(level.peak - kFloorNepers) - level.mean) / level.deviation;
}

}  // namespace omnisync::speech
