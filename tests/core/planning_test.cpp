// The small parts of planning: curves over time, when a voice is heard, which mouths are borrowed.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "diffusion/flow.h"
#include "engines/portable/curve.h"
#include "engines/portable/motion_basis.h"
#include "speech/activity.h"
#include "speech/log_mel.h"

namespace omnisync::portable {
namespace {

TEST(Curves, CubicReadingKeepsWhatMouthsDo) {
    // 6 Hz at 30 Hz, read at 24 Hz: amplitude within 2 %, no shift.
    const double rate = 30, tone = 6;
    const at::Tensor values =
        at::sin(at::arange(60, at::kDouble) * (2 * std::numbers::pi * tone / rate)).to(at::kFloat).unsqueeze(1);
    double error = 0;
    std::vector<double> times;
    for (int i = 4; i < 40; ++i) times.push_back(i / 24.0);
    const at::Tensor read = read_curve(values, 0, rate, times);
    for (std::size_t i = 0; i < times.size(); ++i)
        error = std::max(error, std::abs(read[static_cast<std::int64_t>(i)][0].item<double>() -
                                         std::sin(2 * std::numbers::pi * tone * times[i])));
    EXPECT_LT(error, 0.1);
    EXPECT_FLOAT_EQ(read_curve(values, 0, rate, {-5})[0][0].item<float>(), values[0][0].item<float>());
    EXPECT_FLOAT_EQ(read_curve(values, 0, rate, {100})[0][0].item<float>(), values[59][0].item<float>());
}

TEST(Curves, UnevenTimesAreReadBetweenNeighbours) {
    const at::Tensor values = at::tensor({0.F, 10.F, 30.F}).unsqueeze(1);
    const at::Tensor read = read_uneven(values, {0, 1, 1.5}, {-1, 0.5, 1, 1.25, 9});
    EXPECT_TRUE(at::allclose(read.squeeze(1), at::tensor({0.F, 5.F, 10.F, 20.F, 30.F})));
}

at::Tensor tone(double seconds, double loud_from, double loud_to) {
    const auto n = static_cast<std::int64_t>(seconds * speech::kRateHz);
    const at::Tensor t = at::arange(n, at::kDouble) / static_cast<double>(speech::kRateHz);
    const at::Tensor on = ((t >= loud_from) * (t < loud_to)).to(at::kDouble);
    return (at::sin(t * (2 * std::numbers::pi * 500)) * (0.3 * on + 1e-4)).to(at::kFloat);
}

TEST(Voices, AreHeardWhereTheyAre) {
    const at::Tensor active = speech::activity(speech::mel_power(tone(3, 1, 2)));
    EXPECT_EQ(active.size(0), 301);
    EXPECT_EQ(active[50].item<float>(), 0);
    EXPECT_EQ(active[150].item<float>(), 1);
    EXPECT_EQ(active[260].item<float>(), 0);
    EXPECT_GT(active[97].item<float>(), 0) << "opens before";
    EXPECT_GT(active[206].item<float>(), 0) << "closes after";
    const at::Tensor silent = speech::activity(speech::mel_power(at::zeros({16000})));
    EXPECT_EQ(silent.max().item<float>(), 0);
}

TEST(LogMel, ATonePeaksInItsBandAndTimeIsCentred) {
    const at::Tensor power = speech::mel_power(tone(1, 0.5, 1));
    EXPECT_EQ(power.size(0), 101);
    EXPECT_EQ(power.size(1), speech::kBands);
    const double mel = 2595 * std::log10(1 + 500.0 / 700), top = 2595 * std::log10(1 + 8000.0 / 700);
    EXPECT_NEAR(static_cast<double>(power[75].argmax().item<std::int64_t>()), mel / top * (speech::kBands + 1) - 1,
                1.01);
    EXPECT_GT(power[52].sum().item<double>(), 100 * power[47].sum().item<double>());
}

TEST(MotionBasis, OpeningIsLinearAndSurvivesTheComponents) {
    at::Tensor offsets = at::zeros({100, kMotionPoints, 2});
    for (int i = 0; i < 100; ++i) {
        const double open = 3 * std::sin(i * 0.3);
        for (const int lower : {65, 66, 67}) offsets[i][kJawPoints + lower - kMouthFirst][1] = open;
        offsets[i][0][0] = std::cos(i * 0.7);
    }
    const portable::MotionBasis basis = portable::MotionBasis::of(offsets);
    const at::Tensor motion = basis.encode(offsets);
    EXPECT_LT((opening(offsets) - (motion * basis.opening_of()).sum(-1)).abs().max().item<double>(), 1e-3);
    EXPECT_LT((basis.decode(motion) - offsets).abs().max().item<double>(), 1e-3);
}

TEST(Flow, StepsLeadToTheDataAndGuidanceDecays) {
    const auto levels = diffusion::levels(0.92, 4);
    EXPECT_EQ(levels.size(), 5U);
    EXPECT_DOUBLE_EQ(levels.front(), 0.92);
    EXPECT_DOUBLE_EQ(levels.back(), 0);
    const at::Tensor clean = at::full({3}, 2.0), noise = at::full({3}, -1.0);
    at::Tensor x = clean * (1 - levels[0]) + noise * levels[0];
    for (std::size_t i = 0; i + 1 < levels.size(); ++i) {
        x = diffusion::step_towards(x, clean, levels[i], levels[i + 1]);
        EXPECT_TRUE(at::allclose(x, clean * (1 - levels[i + 1]) + noise * levels[i + 1], 1e-5, 1e-6)) << i;
    }
    EXPECT_DOUBLE_EQ(diffusion::guidance_at(4, 0.92, 0.92), 4);
    EXPECT_NEAR(diffusion::guidance_at(4, 0.46, 0.92), 4 * std::pow(0.5, 1.5), 1e-9);
    EXPECT_DOUBLE_EQ(diffusion::guidance_at(4, 0.1, 0.92), 1) << "never unconditional";
}

}  // namespace
}  // namespace omnisync::portable
