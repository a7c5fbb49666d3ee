// Our sync network and what is read out of it, with known answers.
#include "evaluation/sync_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "evaluation/sync_scores.h"
#include "speech/log_mel.h"

namespace omnisync::evaluation {
namespace {

constexpr SyncConfig kSmall{.width = 16, .mouth_width = 4, .embedding = 16};

/// A voice of 4 s that never rests, and a face whose every window looks like what is heard `late_s` after it.
struct Pair {
    Heard heard;
    Seen seen;
};
Pair made_pair(double late_s) {
    Pair pair;
    // Slow enough for neighbours to be alike: likeness falls off over some 60 ms, as a trained network's does.
    const at::Tensor noise = at::randn({207, 64});
    at::Tensor smooth = at::zeros({200, 64});
    for (int k = 0; k < 7; ++k) smooth = smooth + noise.narrow(0, k, 200);
    pair.heard = {smooth / smooth.square().sum(-1, true).sqrt(), at::ones({401}), 4.0};
    std::vector<double> places;
    for (double time = 1; time < 3; time += 1 / kSeenRateHz) {
        pair.seen.times_s.push_back(time);
        pair.seen.moves.push_back(1);
        places.push_back((time + late_s) * kHeardRateHz);
    }
    const at::Tensor rows = read_rows(pair.heard.vectors, places);
    pair.seen.vectors = rows / rows.square().sum(-1, true).sqrt();
    return pair;
}

TEST(SyncNet, IsTheSameForTheSameSeedAndGivesUnitVectors) {
    const at::Tensor mel = at::randn({2, 101, 80}), shape = at::randn({2, 9, kShape});
    const at::Tensor mouth = at::randn({2, 9, kMouthHeight, kMouthWidth});
    const auto outputs = [&](std::uint64_t seed) {
        weights::Parameters parameters = weights::Parameters::fresh(seed);
        const SyncNet net(weights::Scope(parameters), kSmall);
        return std::pair(net.hear(mel), net.see(shape, mouth));
    };
    const auto [heard, seen] = outputs(3);
    const auto [heard_again, seen_again] = outputs(3);
    EXPECT_TRUE(at::equal(heard, heard_again) && at::equal(seen, seen_again));
    EXPECT_FALSE(at::equal(heard, outputs(4).first));
    EXPECT_EQ(heard.sizes(), (std::vector<std::int64_t>{2, 51, 16}));
    EXPECT_EQ(seen.sizes(), (std::vector<std::int64_t>{2, 9, 16}));
    EXPECT_NEAR(heard.square().sum(-1).min().item<double>(), 1, 1e-3);
    EXPECT_NEAR(seen.square().sum(-1).max().item<double>(), 1, 1e-3);
}

TEST(SyncNet, IsSmall) {
    weights::Parameters parameters = weights::Parameters::outline();
    const SyncNet net{weights::Scope(parameters)};
    EXPECT_LT(parameters.elements() * 2, 5'000'000) << "bytes in half precision";
}

TEST(SyncNet, HearsALongVoiceInPiecesAsInOne) {
    weights::Parameters parameters = weights::Parameters::fresh(1);
    const SyncNet net(weights::Scope(parameters), kSmall);
    const at::Tensor power = at::rand({2345, 80}) + 0.01;
    const at::Tensor pieces = hear_voice(net, power, 23.4).vectors.detach();
    const at::Tensor whole = net.hear(speech::normalise(power, speech::measure_level(power)).unsqueeze(0))[0].detach();
    ASSERT_EQ(pieces.sizes(), whole.sizes());
    EXPECT_LT((pieces - whole).abs().max().item<double>(), 1e-4);
}

TEST(SyncNet, LooksAtMovementNotAtLightOrPlace) {
    const at::Tensor landmarks = at::rand({10, 68, 2}) * 20 + 60;
    const at::Tensor mouth = at::rand({10, kMouthHeight, kMouthWidth}) * 100 + 50;
    const Look look = look_at(landmarks, mouth);
    EXPECT_LT(look.mouth.mean(0).abs().max().item<double>(), 1e-4);
    const Look brighter = look_at(landmarks + 7, mouth + 40);
    EXPECT_LT((brighter.mouth - look.mouth).abs().max().item<double>(), 1e-3);
    EXPECT_LT((brighter.shape - look.shape).abs().max().item<double>(), 1e-3);
    EXPECT_EQ(look_at(landmarks, {}).mouth.abs().max().item<double>(), 0) << "no picture is no picture";
}

TEST(SyncNet, ReadsRowsBetweenRowsAndTheEndsBeyondThem) {
    const at::Tensor line = at::arange(10, at::kFloat).unsqueeze(1) * 2;
    const at::Tensor read = read_rows(line, {-3, 0, 2.25, 7.5, 20});
    const double expected[] = {0, 0, 4.5, 15, 18};
    for (std::int64_t i = 0; i < 5; ++i) EXPECT_NEAR(read[i][0].item<double>(), expected[i], 1e-5) << i;
}

TEST(SyncScores, ALateSoundHasAnOffsetAboveZero) {
    at::manual_seed(5);
    for (const double late_ms : {-400.0, -95.0, 0.0, 37.0, 120.0, 400.0}) {
        const Pair pair = made_pair(late_ms / 1000);
        const SyncScores found = compare(pair.seen, pair.heard, 0, 0.6);
        ASSERT_EQ(found.absent, "");
        EXPECT_NEAR(found.offset_ms, late_ms, 6);
        EXPECT_LT(found.distance, 0.3);
        EXPECT_GT(found.confidence, 0.5);
        EXPECT_EQ(found.windows, static_cast<std::int64_t>(pair.seen.times_s.size()));
    }
}

TEST(SyncScores, CountTheVoicesOwnStart) {
    at::manual_seed(6);
    Pair pair = made_pair(0.1);
    for (double& time : pair.seen.times_s) time += 50;
    EXPECT_NEAR(compare(pair.seen, pair.heard, 50, 0.6).offset_ms, 100, 6);
    EXPECT_NEAR(compare(pair.seen, pair.heard, 50.2, 0.6).offset_ms, 300, 6) << "a voice that begins later is later";
}

TEST(SyncScores, OfStrangersAreNotConfident) {
    at::manual_seed(7);
    const Pair pair = made_pair(0), other = made_pair(0);
    const SyncScores own = compare(pair.seen, pair.heard, 0, 0.6);
    const SyncScores strange = compare(pair.seen, other.heard, 0, 0.6);
    EXPECT_GT(own.confidence, 2 * strange.confidence);
    EXPECT_LT(own.distance, strange.distance);
}

TEST(SyncScores, LeaveOutWhereNothingMovesOrNobodySpeaksAndSaySo) {
    at::manual_seed(8);
    Pair pair = made_pair(0.05);
    std::fill_n(pair.seen.moves.begin(), 20, 0);
    SyncScores found = compare(pair.seen, pair.heard, 0, 0.6);
    EXPECT_EQ(found.still, 20);
    EXPECT_EQ(found.silent, 0);
    EXPECT_EQ(found.windows, static_cast<std::int64_t>(pair.seen.times_s.size()) - 20);
    EXPECT_NEAR(found.offset_ms, 50, 6);

    std::fill(pair.seen.moves.begin(), pair.seen.moves.end(), 0);
    EXPECT_EQ(compare(pair.seen, pair.heard, 0, 0.6).absent, "the mouth does not move");

    std::fill(pair.seen.moves.begin(), pair.seen.moves.end(), 1);
    pair.heard.activity = at::zeros({401});
    found = compare(pair.seen, pair.heard, 0, 0.6);
    EXPECT_EQ(found.absent, "nobody speaks while the face is seen");
    EXPECT_EQ(found.windows, 0);
    EXPECT_EQ(found.silent, static_cast<std::int64_t>(pair.seen.times_s.size()));

    EXPECT_EQ(compare({}, pair.heard, 0, 0.6).absent, "no face is seen long enough");
}

TEST(SyncScores, AStillPictureDoesNotMoveAndGapsPartStretches) {
    weights::Parameters parameters = weights::Parameters::fresh(1);
    const SyncNet net(weights::Scope(parameters), kSmall);
    std::vector<double> times;
    for (int i = 0; i < 50; ++i) times.push_back(i / 25.0 + (i >= 25 ? 1 : 0));
    const at::Tensor still = (at::rand({1, 68, 2}) * 60 + 50).expand({50, 68, 2}).contiguous();
    const Seen seen = see_face(net, times, still, {}, 0.6);
    EXPECT_EQ(std::count(seen.moves.begin(), seen.moves.end(), 1), 0);
    for (const double time : seen.times_s) EXPECT_TRUE(time <= 0.97 || time >= 1.99) << time << " lies in the gap";
    const Seen moving = see_face(net, times, still + at::randn({50, 68, 2}) * 3, {}, 0.6);
    EXPECT_EQ(std::count(moving.moves.begin(), moving.moves.end(), 0), 0);
}

TEST(SyncScores, ReadTheLowestPlaceBetweenOffsets) {
    SyncScores scores;
    for (int i = -10; i <= 10; ++i) {
        scores.offsets_ms.push_back(i * 10);
        scores.curve.push_back(1 + std::pow(i * 10 - 23.0, 2) / 1000);
    }
    read_curve(scores);
    EXPECT_NEAR(scores.offset_ms, 23, 1e-6);
    EXPECT_GT(scores.confidence, 0);
    EXPECT_NEAR(scores.distance, 1.009, 1e-6) << "of the offsets looked at";
}

}  // namespace
}  // namespace omnisync::evaluation
