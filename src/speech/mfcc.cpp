#include "speech/mfcc.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "speech/log_mel.h"

namespace omnisync::speech {
namespace {

constexpr int kFft = 512;
constexpr int kTriangles = 26;
constexpr double kLifter = 22;
constexpr double kPreEmphasis = 0.97;
constexpr std::int64_t kPiece = 6000;  // windows: a minute

/// [kFft / 2 + 1, kTriangles], edges rounded down to bins.
at::Tensor make_triangles() {
    const double top = 2595 * std::log10(1 + kRateHz / 2.0 / 700);
    int edges[kTriangles + 2];
    for (int i = 0; i < kTriangles + 2; ++i) {
        const double hz = 700 * (std::pow(10, top * i / (kTriangles + 1) / 2595) - 1);
        edges[i] = static_cast<int>(std::floor((kFft + 1) * hz / kRateHz));
    }
    at::Tensor triangles = at::zeros({kFft / 2 + 1, kTriangles}, at::kDouble);
    auto at = triangles.accessor<double, 2>();
    for (int j = 0; j < kTriangles; ++j) {
        for (int i = edges[j]; i < edges[j + 1]; ++i)
            at[i][j] = static_cast<double>(i - edges[j]) / (edges[j + 1] - edges[j]);
        for (int i = edges[j + 1]; i < edges[j + 2]; ++i)
            at[i][j] = static_cast<double>(edges[j + 2] - i) / (edges[j + 2] - edges[j + 1]);
    }
    return triangles;
}

/// Cosine transform and lifter: [kTriangles, kCoefficients].
at::Tensor make_transform() {
    at::Tensor transform = at::zeros({kTriangles, kCoefficients}, at::kDouble);
    auto at = transform.accessor<double, 2>();
    for (int k = 0; k < kCoefficients; ++k) {
        const double lift = 1 + kLifter / 2 * std::sin(std::numbers::pi * k / kLifter);
        const double scale = std::sqrt((k == 0 ? 1.0 : 2.0) / kTriangles) * lift;
        for (int n = 0; n < kTriangles; ++n)
            at[n][k] = scale * std::cos(std::numbers::pi * k * (2 * n + 1) / (2 * kTriangles));
    }
    return transform;
}

/// Logarithms want more than nothing.
at::Tensor positive(const at::Tensor& values) {
    return at::where(values == 0, std::numeric_limits<double>::epsilon(), values);
}

}  // namespace

std::int64_t mfcc_frames(std::int64_t samples) {
    return samples <= kWindow ? 1 : 1 + (samples - kWindow + kHop - 1) / kHop;
}

at::Tensor mfcc(const at::Tensor& samples) {
    static const at::Tensor triangles = make_triangles(), transform = make_transform();
    const std::int64_t frames = mfcc_frames(samples.size(0));
    std::vector<at::Tensor> parts;
    for (std::int64_t first = 0; first < frames; first += kPiece) {
        const std::int64_t count = std::min(kPiece, frames - first);
        const std::int64_t from = first * kHop, needed = (count - 1) * kHop + kWindow;
        const std::int64_t there = std::min(needed, samples.size(0) - from);
        at::Tensor part = samples.narrow(0, from, there).to(at::kDouble);
        const at::Tensor before =
            from > 0 ? samples.narrow(0, from - 1, 1).to(at::kDouble) : at::zeros({1}, at::kDouble);
        part = part - kPreEmphasis * at::cat({before, part.narrow(0, 0, there - 1)});
        const at::Tensor windows = at::constant_pad_nd(part, {0, needed - there}).unfold(0, kWindow, kHop);
        const at::Tensor power = at::abs(at::fft_rfft(windows, kFft)).square() / kFft;
        const at::Tensor energy = positive(power.sum(1, true)).log();
        const at::Tensor cepstrum = at::matmul(positive(at::matmul(power, triangles)).log(), transform);
        parts.push_back(at::cat({energy, cepstrum.narrow(1, 1, kCoefficients - 1)}, 1).to(at::kFloat));
    }
    return at::cat(parts);
}

}  // namespace omnisync::speech
