// The small parts of planning: curves over time, what is heard, when lips close, how a person holds their mouth.
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <iterator>
#include <numbers>
#include <vector>

#include "diffusion/flow.h"
#include "engines/portable/closures.h"
#include "engines/portable/course.h"
#include "engines/portable/curve.h"
#include "engines/portable/habit.h"
#include "engines/portable/motion_basis.h"
#include "omnisync/faces.h"
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

/// The same, louder and quieter as syllables are.
at::Tensor syllables(double seconds, double loud_from, double loud_to) {
    const at::Tensor sound = tone(seconds, loud_from, loud_to);
    const at::Tensor t = at::arange(sound.size(0), at::kDouble) / static_cast<double>(speech::kRateHz);
    return sound * (0.55 + 0.45 * at::sin(t * (2 * std::numbers::pi * 4))).to(at::kFloat);
}

TEST(Voices, AreHeardWhereTheyAre) {
    const at::Tensor active = speech::activity(speech::mel_power(syllables(3, 1, 2)));
    EXPECT_EQ(active.size(0), 301);
    EXPECT_EQ(active[50].item<float>(), 0);
    EXPECT_EQ(active[150].item<float>(), 1);
    EXPECT_EQ(active[260].item<float>(), 0);
    EXPECT_GT(active[97].item<float>(), 0) << "opens before";
    EXPECT_GT(active[206].item<float>(), 0) << "closes after";
    const at::Tensor silent = speech::activity(speech::mel_power(at::zeros({16000})));
    EXPECT_EQ(silent.max().item<float>(), 0);
}

TEST(Voices, DigitalSilenceAtTheEndDoesNotFillThePauses) {
    at::Generator random = at::detail::createCPUGenerator(7);
    const at::Tensor sound = syllables(5, 1, 2) + syllables(5, 3, 4) + at::randn({5 * speech::kRateHz}, random) * 0.001;
    sound.narrow(0, 4 * speech::kRateHz, speech::kRateHz).zero_();
    const at::Tensor active = speech::activity(speech::mel_power(sound));
    EXPECT_EQ(active[150].item<float>(), 1);
    EXPECT_EQ(active[350].item<float>(), 1);
    EXPECT_EQ(active[250].item<float>(), 0);
    EXPECT_EQ(active[450].item<float>(), 0);
}

TEST(Voices, AStopIsNoPause) {
    const at::Tensor stop = syllables(4, 1, 1.95) + syllables(4, 2.05, 3);
    const at::Tensor active = speech::activity(speech::mel_power(stop));
    EXPECT_EQ(active.narrow(0, 150, 100).min().item<float>(), 1);
}

TEST(Voices, WhatStaysLevelIsNone) {
    const at::Tensor hum = tone(4, 0, 4);
    EXPECT_EQ(speech::activity(speech::mel_power(hum)).max().item<float>(), 0);
    EXPECT_EQ(speech::activity(speech::mel_power(tone(4, 1, 3))).max().item<float>(), 0) << "with silence around it";
    at::Generator random = at::detail::createCPUGenerator(7);
    const at::Tensor hiss = at::randn({4 * speech::kRateHz}, random) * 0.05;
    EXPECT_EQ(speech::activity(speech::mel_power(hiss)).max().item<float>(), 0);
    EXPECT_EQ(speech::activity(speech::mel_power(hiss * 0.01 + syllables(4, 1, 2.5)))[170].item<float>(), 1);
}

TEST(Courses, AreMeasuredAndHeldBack) {
    const at::Tensor i = at::arange(200, at::kDouble);
    const at::Tensor wave = (at::sin(i * 0.8) * 3).to(at::kFloat);
    const at::Tensor all = at::ones({200});
    EXPECT_NEAR(travel(wave, 30, all), 3 / std::sqrt(2.0), 0.1);
    EXPECT_NEAR(travel(wave + (i * 0.05).to(at::kFloat), 30, all), 3 / std::sqrt(2.0), 0.2) << "a slow drift is none";
    EXPECT_EQ(travel(wave, 30, at::zeros({200})), 0);
    EXPECT_LT(abruptness(smoothed(wave.unsqueeze(1), 1).squeeze(1)), 0.6 * abruptness(wave));
    EXPECT_TRUE(at::allclose(smoothed(at::ones({9, 2}), 1.5), at::ones({9, 2})));
    EXPECT_EQ(abruptness(wave.narrow(0, 0, 2)), 0);
    const at::Tensor held = bounded(at::tensor({-5.F, 1.F, 4.F, 100.F}), at::tensor(2.F), at::tensor(5.F));
    EXPECT_EQ(held[0].item<float>(), -5);
    EXPECT_EQ(held[1].item<float>(), 1);
    EXPECT_LT(held[2].item<float>(), 4);
    EXPECT_GT(held[2].item<float>(), 3);
    EXPECT_LE(held[3].item<float>(), 5);
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

TEST(LogMel, BlocksOfAnySizeGiveWhatTheWholeGives) {
    const at::Tensor whole = tone(1.01, 0.3, 0.7) + 0.05 * tone(1.01, 0, 1.01).flip(0);
    const at::Tensor expected = speech::mel_power(whole);
    for (const std::int64_t most : {97, 401, 5003}) {
        const std::int64_t sizes[] = {most, 0, most / 2 + 1, 1, 160, 399};
        speech::MelReader reader;
        std::int64_t at = 0;
        for (std::size_t i = 0; at < whole.size(0); ++i) {
            const std::int64_t size = std::min(sizes[i % std::size(sizes)], whole.size(0) - at);
            reader.add(whole.narrow(0, at, size));
            at += size;
        }
        const at::Tensor got = reader.finish();
        ASSERT_EQ(got.sizes(), expected.sizes()) << most;
        EXPECT_LT((got - expected).abs().max().item<double>(), 1e-6 * expected.max().item<double>()) << most;
    }
    for (const std::int64_t few : {0, 1, 159, 160, 200, 399}) {
        speech::MelReader reader;
        reader.add(whole.narrow(0, 8000, few));
        EXPECT_EQ(reader.finish().size(0), few / speech::kHop + 1) << few;
    }
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

at::Tensor course(const std::vector<float>& values) {
    return at::tensor(values);
}

TEST(Closures, TakeALowDeepValleyToRestAndNothingElse) {
    constexpr double rest = 1;
    constexpr double spread = 2;
    const at::Tensor deep = course({5, 5, 5, 3, 2.4F, 1.8F, 2.4F, 3, 5, 5, 5});
    const at::Tensor less = closures(deep, rest, spread);
    EXPECT_NEAR((deep - less)[5].item<double>(), rest, 1e-6);
    EXPECT_GT(less[4].item<double>(), 0) << "lips close over more than a moment";
    EXPECT_LT(less[4].item<double>(), less[5].item<double>());
    EXPECT_EQ(less.narrow(0, 0, 2).max().item<double>(), 0);
    EXPECT_EQ(less.narrow(0, 9, 2).max().item<double>(), 0);

    const at::Tensor shallow = course({2.3F, 2.3F, 2.3F, 2.1F, 1.9F, 1.8F, 1.9F, 2.1F, 2.3F, 2.3F, 2.3F});
    EXPECT_EQ(closures(shallow, rest, spread).abs().max().item<double>(), 0);
    EXPECT_EQ(closures(deep + 3, rest, spread).abs().max().item<double>(), 0) << "high above rest";
    EXPECT_EQ(closures(deep - 2, rest, spread).abs().max().item<double>(), 0) << "closed already";
    const at::Tensor slope = course({5, 4.5F, 4, 3.5F, 3, 2.5F, 2, 1.9F, 1.8F, 1.7F, 1.6F});
    EXPECT_EQ(closures(slope, rest, spread).abs().max().item<double>(), 0) << "no hill behind it";
}

TEST(Closures, AreNeverNegativeNorMoreThanTheLipsAreApart) {
    at::Tensor values = at::zeros({400});
    for (int i = 0; i < 400; ++i) values[i] = 3 + 2.5 * std::sin(i * 0.7) + 1.5 * std::sin(i * 0.29 + 1);
    const at::Tensor less = closures(values, 1, 2);
    EXPECT_GE(less.min().item<double>(), 0);
    EXPECT_GT(less.max().item<double>(), 0.5) << "some lips do close";
    EXPECT_LE(less.max().item<double>(), 0.8 * 2 + 1e-6);
    for (const std::int64_t few : {0, 1, 2}) EXPECT_EQ(closures(values.narrow(0, 0, few), 1, 2).size(0), few);
}

/// A head that turns by `turn` degrees to and fro, its lips `open` canonical pixels apart by turns.
FaceTrack person(double turn, double open) {
    FaceTrack track;
    for (int i = 0; i < 240; ++i) {
        FaceFrame face;
        face.pose.yaw = static_cast<float>(turn * std::sin(i * 0.11));
        face.pose.pitch = static_cast<float>(0.5 * turn * std::sin(i * 0.043 + 1));
        const double apart = open * (0.5 - 0.5 * std::cos(i * 0.7));
        for (int k = 0; k < kLandmarks; ++k) {
            // Depth differs from point to point, so a turn shifts each by another amount, and squeezes the far half.
            const double x = 60 + 0.6 * k;
            const double depth = 6 * std::sin(k * 1.3);
            const double yaw = face.pose.yaw / 20.0;
            Point& point = face.landmarks[static_cast<std::size_t>(k)];
            point.x = static_cast<float>(x + depth * yaw - 0.04 * (x - 80) * yaw * yaw);
            point.y = static_cast<float>(110 + 3 * std::cos(k * 0.8) * (1 + face.pose.pitch / 20.0) +
                                         (k >= 65 ? apart : 0.0));
        }
        track.frames.push_back(face);
    }
    return track;
}

std::vector<const FaceFrame*> faces_of(const FaceTrack& track) {
    std::vector<const FaceFrame*> faces;
    for (const FaceFrame& face : track.frames) faces.push_back(&face);
    return faces;
}

MotionBasis some_basis() {
    at::Tensor offsets = at::zeros({200, kMotionPoints, 2});
    for (int i = 0; i < 200; ++i)
        for (int k = 0; k < kMotionPoints; ++k) {
            offsets[i][k][0] = std::sin(i * (1 + 0.1 * k));
            offsets[i][k][1] = 2 * std::cos(i * (0.3 + 0.2 * k));
        }
    return MotionBasis::of(offsets);
}

TEST(Habits, ATurnedHeadIsNoSpeech) {
    const FaceTrack track = person(30, 0);
    const Habit habit = habit_of(track, some_basis(), 25);
    const auto faces = faces_of(track);
    const at::Tensor points = motion_points_of(faces);
    const double from_mean = (points - habit.mean).square().mean().item<double>();
    const double from_shape = (points - habit.shape_of(faces)).square().mean().item<double>();
    EXPECT_GT(from_mean, 1) << "the head does turn";
    EXPECT_LT(from_shape, 0.05 * from_mean);
}

TEST(Habits, AMouthThatOpensKeepsItsOpening) {
    for (const double turn : {0.0, 30.0}) {
        const FaceTrack track = person(turn, 8);
        const Habit habit = habit_of(track, some_basis(), 25);
        const auto faces = faces_of(track);
        const at::Tensor moved = opening(motion_points_of(faces) - habit.shape_of(faces));
        const double travel = moved.max().item<double>() - moved.min().item<double>();
        EXPECT_GT(travel, 0.9 * 8) << turn;
        EXPECT_GT(habit.spread, 0.9 * 8 / std::sqrt(8.0)) << turn;  // of a raised cosine
    }
}

TEST(Habits, ClosedLipsAreWhereTheyAreFound) {
    FaceTrack track = person(0, 8);
    const Habit habit = habit_of(track, some_basis(), 25);
    const at::Tensor open = opening(motion_points_of(faces_of(track)));
    EXPECT_NEAR(habit.closed, open.min().item<double>(), 0.2);
    EXPECT_NEAR(habit.gaps.mean().item<double>(), habit.closed, 1e-4) << "the pairs' mean";
    for (FaceFrame& face : track.frames)
        for (int k = 65; k < kLandmarks; ++k) face.landmarks[static_cast<std::size_t>(k)].y += 20;
    EXPECT_LT(habit_of(track, some_basis(), 25).closed, open.min().item<double>() + 20) << "never closed in sight";
}

TEST(Habits, FramesThatCannotBeEditedSayNothing) {
    FaceTrack track = person(0, 4);
    const Habit clean = habit_of(track, some_basis(), 25);
    for (std::size_t i = 0; i < 40; ++i) {
        FaceFrame hidden = track.frames[i];
        hidden.obstacle = Obstacle::covered;
        hidden.pose.yaw = 80;
        for (Point& point : hidden.landmarks) point.y += 50;
        track.frames.push_back(hidden);
    }
    const Habit habit = habit_of(track, some_basis(), 25);
    EXPECT_TRUE(at::allclose(habit.mean, clean.mean));
    EXPECT_TRUE(at::allclose(habit.rest, clean.rest));
    EXPECT_DOUBLE_EQ(habit.spread, clean.spread);
}

}  // namespace
}  // namespace omnisync::portable
