#include "speech/slaney_log_mel.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "ops/log_mel.h"

namespace omnisync::speech {
namespace {

constexpr std::int64_t kMirrored = kWindow / 2;  // samples beyond each end
constexpr std::int64_t kBlockFrames = 1000;      // analysed at once: fixed, so that sums do not depend on how they came
constexpr std::int64_t kBlock = (kBlockFrames - 1) * kHop + kWindow;
constexpr double kRange = 8;  // powers of ten below the loudest

// Slaney's scale: linear below 1 kHz, then 27 steps for each factor of 6.4.
constexpr double kStepsPerHz = 3.0 / 200;
constexpr double kBendHz = 1000;
constexpr double kBend = kBendHz * kStepsPerHz;

}  // namespace

at::Tensor slaney_filters() {
    const double per_step = std::log(6.4) / 27;
    const double top = kBend + std::log(kRateHz / 2.0 / kBendHz) / per_step;
    const at::Tensor mels = at::linspace(0, top, kBands + 2, at::kDouble);
    const at::Tensor edges =
        at::where(mels < kBend, mels / kStepsPerHz, kBendHz * ((mels - kBend) * per_step).exp()).unsqueeze(1);
    const at::Tensor bins = at::arange(kWindow / 2 + 1, at::kDouble) * (double{kRateHz} / kWindow);
    const at::Tensor low = edges.narrow(0, 0, kBands);
    const at::Tensor middle = edges.narrow(0, 1, kBands);
    const at::Tensor high = edges.narrow(0, 2, kBands);
    const at::Tensor triangles = at::minimum((bins - low) / (middle - low), (high - bins) / (high - middle));
    return (triangles.clamp_min(0) * 2.0 / (high - low)).to(at::kFloat);
}

at::Tensor power_spectrum(const at::Tensor& windows) {
    static const ops::MelBands bins(at::hann_window(kWindow, at::kFloat), kWindow, {}, false);
    return bins(windows.flatten(), kWindow);
}

std::int64_t slaney_frames(std::int64_t samples) {
    return std::max(samples, kShortestSound) / kHop;
}

// The buffer begins with room for the mirrored samples; analyse() fills it once those that it mirrors are there.
SlaneyMelReader::SlaneyMelReader() : buffer_(at::empty({kBlock}, at::kFloat)), filled_(kMirrored) {}

void SlaneyMelReader::add(const at::Tensor& samples) {
    samples_ += samples.size(0);
    take(samples);
}

void SlaneyMelReader::take(const at::Tensor& samples) {
    for (std::int64_t taken = 0; taken < samples.size(0);) {
        const std::int64_t count = std::min(samples.size(0) - taken, kBlock - filled_);
        buffer_.narrow(0, filled_, count).copy_(samples.narrow(0, taken, count));
        taken += count;
        filled_ += count;
        if (filled_ == kBlock) analyse();
    }
}

void SlaneyMelReader::analyse() {
    static const ops::MelBands bands(at::hann_window(kWindow, at::kFloat), kWindow, slaney_filters(), true);
    if (logs_.empty()) buffer_.narrow(0, 0, kMirrored).copy_(buffer_.narrow(0, kMirrored + 1, kMirrored).flip(0));
    const std::int64_t frames = (filled_ - kWindow) / kHop + 1;
    logs_.push_back(bands(buffer_.narrow(0, 0, filled_), kHop));
    const std::int64_t kept = filled_ - frames * kHop;
    buffer_.narrow(0, 0, kept).copy_(buffer_.narrow(0, frames * kHop, kept).clone());
    filled_ = kept;
}

at::Tensor SlaneyMelReader::finish() {
    if (samples_ < kShortestSound) add(at::zeros({kShortestSound - samples_}));
    const std::int64_t frames = slaney_frames(samples_);
    // What is mirrored at the end may have left the buffer for the next block already, all but its last 240 samples.
    const std::int64_t done = static_cast<std::int64_t>(logs_.size()) * kBlockFrames;
    if (done < frames) {
        const std::int64_t needed = (frames - done - 1) * kHop + kWindow;
        const std::int64_t missing = std::max<std::int64_t>(0, needed - filled_);
        take(buffer_.narrow(0, filled_ - 1 - missing, missing).flip(0));
        if (filled_ >= kWindow) analyse();
    }
    const at::Tensor all = at::empty({kBands, frames}, at::kFloat);
    std::int64_t copied = 0;
    for (at::Tensor& part : logs_) {
        all.narrow(1, copied, part.size(0)).copy_(part.t());
        copied += part.size(0);
        part.reset();
    }
    return all.clamp_min_(all.max().item<double>() - kRange).add_(4).div_(4);
}

at::Tensor slaney_log_mel(const at::Tensor& samples) {
    SlaneyMelReader reader;
    reader.add(samples);
    return reader.finish();
}

}  // namespace omnisync::speech
