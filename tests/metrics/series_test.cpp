#include "metrics/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "metrics/repeats.h"
#include "metrics/silence.h"

namespace omnisync::metrics {
namespace {

TEST(Series, CorrelationOfKnownSeries) {
    EXPECT_NEAR(*correlation({1, 2, 3}, {2, 4, 6}), 1, 1e-12);
    EXPECT_NEAR(*correlation({1, 2, 3}, {3, 2, 1}), -1, 1e-12);
    EXPECT_NEAR(*correlation({1, 2, 3, 4}, {1, 3, 2, 4}), 0.8, 1e-12);
    EXPECT_FALSE(correlation({1, 2, 3}, {5, 5, 5}));
    EXPECT_FALSE(correlation({1}, {2}));
}

TEST(Series, QuantilesAndRatios) {
    EXPECT_EQ(*median({3, 1, 2}), 2);
    EXPECT_EQ(*quantile({5, 1, 3, 2, 4}, 0.25), 2);
    EXPECT_FALSE(median({}));
    EXPECT_EQ(*ratio(3, 2), 1.5);
    EXPECT_FALSE(ratio(3, 0));
    EXPECT_FALSE(ratio(std::nullopt, 2));
}

TEST(Series, WhatMovesSmoothlyDoesNotTremble) {
    EXPECT_EQ(*tremble({0, 1, 2, 3}, {1, 2, 3, 4}), 0);
    EXPECT_EQ(*tremble({0, 1, 2, 3}, {0, 1, 0, 1}), 4);
    EXPECT_FALSE(tremble({0, 2, 4}, {0, 1, 0})) << "no neighbours";
}

TEST(Series, LipsInSilence) {
    const std::vector<bool> quiet{false, false, false, false, false, true, true, true, true, true};
    EXPECT_NEAR(*opening_in_silence({11, 11, 11, 11, 11, 1, 1, 1, 1, 1}, quiet, 1), 0, 1e-12);
    EXPECT_NEAR(*opening_in_silence({11, 11, 11, 11, 11, 6, 6, 6, 6, 6}, quiet, 1), 0.5, 1e-12);
    EXPECT_FALSE(opening_in_silence({11, 11}, {false, true}, 1)) << "too few";
}

/// Samples in memory.
class Samples final : public SpeechSource {
public:
    explicit Samples(std::vector<float> samples) : samples_(std::move(samples)) {}
    [[nodiscard]] int rate_hz() const override { return Silence::kRateHz; }
    std::size_t read(std::span<float> out) override {
        const std::size_t count = std::min(out.size(), samples_.size() - at_);
        std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), count, out.begin());
        at_ += count;
        return count;
    }

private:
    std::vector<float> samples_;
    std::size_t at_ = 0;
};

Silence silence_of(std::vector<float> samples) {
    Samples sound(std::move(samples));
    return Silence(sound);
}

std::vector<float> tone_then_nothing(double tone_s, double nothing_s, float rest) {
    std::vector<float> samples;
    const auto tone = static_cast<int>(tone_s * Silence::kRateHz);
    for (int i = 0; i < tone + static_cast<int>(nothing_s * Silence::kRateHz); ++i)
        samples.push_back((i < tone ? 0.5F : rest) * static_cast<float>(std::sin(0.3 * i)));
    return samples;
}

TEST(Silence, BeginsWhenTheMouthHasHadTimeToClose) {
    const Silence silence = silence_of(tone_then_nothing(1, 1, 0.001F));
    EXPECT_FALSE(silence.at(0.5));
    EXPECT_FALSE(silence.at(1.1));
    EXPECT_TRUE(silence.at(1.15));
    EXPECT_TRUE(silence.at(5)) << "behind the end";
    EXPECT_TRUE(silence.at(-1));
    EXPECT_TRUE(silence.audible());
    EXPECT_NEAR(silence.level(0.5), 0.5 / std::sqrt(2), 0.01);
}

TEST(Silence, NothingButZerosIsSilentAndNotAudible) {
    const Silence silence = silence_of(std::vector<float>(16000));
    EXPECT_TRUE(silence.at(0.5));
    EXPECT_FALSE(silence.audible());
    EXPECT_TRUE(silence_of({}).at(0));
}

TEST(Repeats, AreTheOnesThatHardlyDiffer) {
    const double nan = std::nan("");
    const Series usual{nan, 2, 3, 2.5, 3};
    EXPECT_EQ(repeats({nan, 2, 0.1, 3, 0}, usual), (std::vector<bool>{false, false, true, false, true}));
    EXPECT_EQ(repeats({nan, 0, 0}, {nan, 0, 0}), (std::vector<bool>{false, false, false})) << "a still repeats nothing";
}

TEST(Repeats, GapsHaveRoomForSoManyPictures) {
    EXPECT_EQ(missing_in_gaps({0, 0.04, 0.08, 0.12}), 0);
    EXPECT_EQ(missing_in_gaps({0, 0.04, 0.08, 0.16, 0.20, 0.32}), 3);
    EXPECT_EQ(missing_in_gaps({}), 0);
}

}  // namespace
}  // namespace omnisync::metrics
