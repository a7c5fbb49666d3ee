#include "ops/noise.h"

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <vector>

#include "kernels/noise.h"
#include "support/operations.h"

namespace omnisync::ops {
namespace {

using test::refusal;
using test::Threads;
using ::testing::HasSubstr;

constexpr NoiseKey kKey{.seed = 7, .track = 2, .first_frame = 100, .first_element = 0};

at::Tensor noise(at::IntArrayRef sizes, std::int64_t frame_dim, const NoiseKey& key = kKey,
                 at::ScalarType type = at::kFloat) {
    const at::Tensor out = at::empty(sizes, type);
    fill_noise(out, frame_dim, key);
    return out;
}

TEST(TensorNoise, EqualsTheKernelsNoise) {
    const at::Tensor tensor = noise({3, 4, 5, 6}, 0);
    std::vector<float> direct(3 * 4 * 5 * 6);
    const kernels::NoiseWindow window{kKey.seed, kKey.track, kKey.first_frame, 0, 3, 1, 120};
    kernels::noise_cpu({window, {direct.data(), kernels::Type::f32, 120, 120}}, {0, kernels::noise_tasks(window)},
                       kernels::Simd::plain);
    EXPECT_EQ(std::memcmp(tensor.const_data_ptr<float>(), direct.data(), direct.size() * sizeof(float)), 0);
}

TEST(TensorNoise, DoesNotDependOnWhereTheFrameDimensionIs) {
    const at::Tensor frames_first = noise({9, 4, 5, 7}, 0);     // [F, C, H, W]
    const at::Tensor frames_third = noise({1, 4, 9, 5, 7}, 2);  // [B, C, F, H, W]
    EXPECT_TRUE(at::equal(frames_first, frames_third[0].transpose(0, 1)));
}

TEST(TensorNoise, IsTheSameForAnySplitIntoWindowsOfFrames) {
    const at::Tensor whole = noise({4, 11, 5, 7}, 1);
    for (const std::int64_t length : {1, 2, 3, 10, 11}) {
        const at::Tensor parts = at::full({4, 11, 5, 7}, 99.0);
        for (std::int64_t first = 0; first < 11; first += length) {
            NoiseKey key = kKey;
            key.first_frame += first;
            fill_noise(parts.narrow(1, first, std::min(length, 11 - first)), 1, key);
        }
        EXPECT_TRUE(at::equal(whole, parts)) << "windows of " << length;
    }
}

TEST(TensorNoise, IsTheSameForAnySplitWithinAFrame) {
    const at::Tensor whole = noise({2, 6, 5, 7}, 0);
    for (std::int64_t channel = 0; channel < 6; ++channel) {
        NoiseKey key = kKey;
        key.first_element = channel * 5 * 7;
        EXPECT_TRUE(at::equal(whole.narrow(1, channel, 1), noise({2, 1, 5, 7}, 0, key))) << "channel " << channel;
    }
}

TEST(TensorNoise, IsTheSameForAnyNumberOfThreads) {
    const Threads one(1);
    const at::Tensor alone = noise({3, 100'003}, 0);
    for (const int count : {2, 3}) {
        const Threads several(count);
        ASSERT_EQ(at::get_num_threads(), count);
        EXPECT_TRUE(at::equal(alone, noise({3, 100'003}, 0))) << count << " threads";
    }
}

TEST(TensorNoise, RunsOnSeveralThreads) {
    // A template of LibTorch's that is compiled without OpenMP runs alone and says nothing.
    const Threads two(2);
    std::atomic<int> seen{0};
    fill_noise(at::empty({1, 1 << 20}), 0, kKey);  // creates the pool
    at::parallel_for(0, 2, 1, [&](std::int64_t, std::int64_t) { seen += at::get_thread_num() + 1; });
    EXPECT_EQ(seen, 1 + 2);
}

TEST(TensorNoise, ChangesWithSeedTrackAndFrame) {
    const at::Tensor base = noise({1, 64}, 0);
    NoiseKey seed = kKey, track = kKey, frame = kKey;
    ++seed.seed;
    ++track.track;
    ++frame.first_frame;
    for (const NoiseKey& key : {seed, track, frame}) EXPECT_FALSE((base == noise({1, 64}, 0, key)).any().item<bool>());
}

TEST(TensorNoise, InBfloat16IsTheRoundedFloat32Noise) {
    EXPECT_TRUE(at::equal(noise({5, 77}, 0).to(at::kBFloat16), noise({5, 77}, 0, kKey, at::kBFloat16)));
}

TEST(TensorNoise, AcceptsTensorsWithoutElements) {
    for (const auto& sizes : {std::vector<std::int64_t>{0, 4}, {4, 0}, {2, 0, 3}})
        for (std::int64_t dim = 0; dim < static_cast<std::int64_t>(sizes.size()); ++dim)
            EXPECT_EQ(noise(sizes, dim).numel(), 0);
}

TEST(TensorNoise, RefusesWhatItCannotWalk) {
    const auto fill = [](const at::Tensor& out, std::int64_t dim) {
        return refusal([&] { fill_noise(out, dim, kKey); });
    };
    EXPECT_THAT(fill(at::empty({2, 3}, at::kDouble), 0), HasSubstr("out must be float32 or bfloat16, not CPUDouble"));
    EXPECT_THAT(fill(at::empty({2, 3}, at::kHalf), 0), HasSubstr("float32 or bfloat16"));
    EXPECT_THAT(fill(at::empty({2, 3, 4}).transpose(1, 2), 0), HasSubstr("contiguous after its frame dimension"));
    EXPECT_THAT(fill(at::empty({2, 3, 4, 5}).transpose(0, 1), 2), HasSubstr("evenly before its frame dimension"));
    EXPECT_THAT(fill(at::empty({1, 3}).expand({2, 3}), 0), HasSubstr("expanded"));
    EXPECT_THAT(fill(at::empty({2, 3}), 2), HasSubstr("frame dimension"));
    EXPECT_THAT(fill(at::empty({2, 3}), -1), HasSubstr("frame dimension"));
    EXPECT_THAT(fill(at::empty({2, 3}).to_sparse(), 0), HasSubstr("strided"));
    EXPECT_THAT(fill(at::Tensor(), 0), HasSubstr("undefined"));
    EXPECT_THAT(refusal([&] { fill_noise(at::empty({2, 3}), 0, {.first_element = -1}); }), HasSubstr("numbered"));
    EXPECT_THAT(refusal([&] {
                    fill_noise(at::empty({2, 3}), 0, {.first_element = kernels::kNoiseElements - 2});
                }),
                HasSubstr("numbered"));
}

TEST(StartFromSource, MixesSourceAndNoise) {
    const at::Tensor source = at::randn({4, 6, 5, 7});
    const at::Tensor out = at::empty_like(source);
    start_from_source(out, source, 1, kKey, 0.92F);
    const at::Tensor expected = source.to(at::kDouble) * (1 - 0.92) + noise({4, 6, 5, 7}, 1).to(at::kDouble) * 0.92;
    EXPECT_LT((out - expected).abs().max().item<double>(), 1e-6);
}

TEST(StartFromSource, IsNoiseAtOneAndTheSourceAtZero) {
    const at::Tensor source = at::randn({2, 33});
    const at::Tensor out = at::empty_like(source);
    start_from_source(out, source, 0, kKey, 1);
    EXPECT_TRUE(at::equal(out, noise({2, 33}, 0)));
    start_from_source(out, source, 0, kKey, 0);
    EXPECT_TRUE(at::equal(out, source));
}

TEST(StartFromSource, WorksInPlaceAcrossTypesAndFromOneRepeatedFrame) {
    const at::Tensor source = at::randn({3, 50});
    const at::Tensor expected = at::empty_like(source);
    start_from_source(expected, source, 0, kKey, 0.5F);

    const at::Tensor in_place = source.clone();
    start_from_source(in_place, in_place, 0, kKey, 0.5F);
    EXPECT_TRUE(at::equal(expected, in_place));

    const at::Tensor rounded = at::empty({3, 50}, at::kBFloat16);
    start_from_source(rounded, source, 0, kKey, 0.5F);
    EXPECT_TRUE(at::equal(expected.to(at::kBFloat16), rounded));

    const at::Tensor still = at::randn({1, 50}).expand({3, 50});
    const at::Tensor a = at::empty({3, 50});
    const at::Tensor b = at::empty({3, 50});
    start_from_source(a, still, 0, kKey, 0.5F);
    start_from_source(b, still.contiguous(), 0, kKey, 0.5F);
    EXPECT_TRUE(at::equal(a, b));
}

TEST(StartFromSource, RefusesOtherSizesAndTau) {
    const at::Tensor out = at::zeros({2, 3});
    EXPECT_THAT(refusal([&] { start_from_source(out, at::zeros({3, 2}), 0, kKey, 0.5F); }), HasSubstr("out's sizes"));
    for (const float tau : {-0.1F, 1.1F, std::nanf("")})
        EXPECT_THAT(refusal([&] { start_from_source(out, out, 0, kKey, tau); }), HasSubstr("tau must be in [0, 1]"));
}

}  // namespace
}  // namespace omnisync::ops
