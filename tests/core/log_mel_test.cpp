// Mel bands against the tensor operations that they stand for.
#include "ops/log_mel.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/square.h>
#include <gtest/gtest.h>

#include "omnisync/error.h"

namespace omnisync::ops {
namespace {

at::Tensor power(const at::Tensor& samples, const at::Tensor& window, std::int64_t fft, std::int64_t hop) {
    return at::square(at::abs(at::fft_rfft(samples.unfold(0, window.size(0), hop) * window, fft)));
}

TEST(MelBands, AreThoseOfTensors) {
    const at::Tensor samples = at::randn({40000}) * 0.1, window = at::hann_window(400);
    for (const std::int64_t fft : {400, 512}) {
        const at::Tensor filters = at::rand({80, fft / 2 + 1}) * (at::rand({80, 1}) + 0.1);
        const at::Tensor bins = power(samples, window, fft, 160), bands = at::matmul(bins, filters.t());
        const at::Tensor ours = MelBands(window, fft, {}, false)(samples, 160);
        ASSERT_EQ(ours.sizes(), bins.sizes());
        EXPECT_LT((ours - bins).abs().max().item<double>(), 1e-5 * bins.max().item<double>());
        const at::Tensor logs = MelBands(window, fft, filters, true)(samples, 160);
        EXPECT_LT((logs - bands.clamp_min(1e-10).log10()).abs().max().item<double>(), 1e-5);
    }
}

TEST(MelBands, SoundsShorterThanAWindowHaveNoFrames) {
    const MelBands bands(at::hann_window(400), 400, {}, true);
    EXPECT_EQ(bands(at::randn({399}), 160).size(0), 0);
    EXPECT_EQ(bands(at::randn({400}), 160).size(0), 1);
}

TEST(MelBands, WhatDoesNotFitIsRefused) {
    const at::Tensor window = at::hann_window(400);
    EXPECT_THROW(MelBands(window, 300, {}, true), Error);
    EXPECT_THROW(MelBands(window, 400, at::rand({80, 200}), true), Error);
    EXPECT_THROW((void)MelBands(window, 434, {}, true)(at::randn({1000}), 160), Error);  // half of it is 7 * 31
}

}  // namespace
}  // namespace omnisync::ops
