// Schedules, solvers, guidance and the loss of src/diffusion, where the answer is known without a model.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>

#include "diffusion/flow.h"
#include "diffusion/rotary_3d.h"
#include "omnisync/error.h"
#include "ops/noise.h"
#include "weights/block_store.h"

namespace omnisync::diffusion {
namespace {

TEST(Schedule, ShiftedLevelsBeginAtTauAndEndAtData) {
    const auto even = levels(0.92, 4);
    ASSERT_EQ(even.size(), 5U);
    for (int i = 0; i <= 4; ++i) EXPECT_DOUBLE_EQ(even[static_cast<std::size_t>(i)], 0.92 * (4 - i) / 4);
    for (const double tau : {1.0, 0.92, 0.3}) {
        const auto shifted = levels(tau, 10, 5);
        EXPECT_NEAR(shifted.front(), tau, 1e-15);
        EXPECT_EQ(shifted.back(), 0);
        for (std::size_t i = 1; i < shifted.size(); ++i) {
            EXPECT_LT(shifted[i], shifted[i - 1]);
            if (i + 1 < shifted.size()) {  // evenly spaced where the shift is undone
                const auto undone = [](double level) { return level / (5 - 4 * level); };
                EXPECT_NEAR(undone(shifted[i]) - undone(shifted[i + 1]), undone(tau) / 10, 1e-12);
            }
        }
    }
}

TEST(Schedule, ATailBeginsAtTau) {
    EXPECT_EQ(levels_below({1, 0.75, 0.5, 0.25, 0}, 0.6), (std::vector<double>{0.6, 0.5, 0.25, 0}));
    EXPECT_EQ(levels_below({1, 0.5, 0}, 0.5), (std::vector<double>{0.5, 0}));
    EXPECT_EQ(levels_below(levels(1, 50, 5), 0.92).size(), 36U) << "35 steps, OmniSync's 50 read as a tail";
}

/// Error at level 0 of dx/dt = -a x + t, from x(1) = 1, whose solution is known.
double error_of(Solver solver, int steps, double shift) {
    constexpr double kRate = 1.5;
    const auto all = levels(1, steps, shift);
    Integrator integrator(solver);
    at::Tensor x = at::full({1}, 1.0, at::kDouble);
    for (std::size_t i = 0; i + 1 < all.size(); ++i) x = integrator.step(x, x * -kRate + all[i], all[i], all[i + 1]);
    const double constant = (1 - 1 / kRate + 1 / (kRate * kRate)) * std::exp(kRate);
    return std::abs(x.item<double>() - (constant - 1 / (kRate * kRate)));
}

TEST(Solver, EulerIsOfFirstOrderAndMultistepOfSecond) {
    for (const double shift : {1.0, 5.0}) {  // even steps, and such that change their length
        EXPECT_NEAR(std::log2(error_of(Solver::euler, 200, shift) / error_of(Solver::euler, 400, shift)), 1, 0.05);
        EXPECT_NEAR(std::log2(error_of(Solver::multistep, 200, shift) / error_of(Solver::multistep, 400, shift)), 2,
                    0.1);
        EXPECT_LT(error_of(Solver::multistep, 50, shift), error_of(Solver::euler, 50, shift) / 10);
    }
}

TEST(Guidance, FallsWithTheLevelDownToItsFloor) {
    EXPECT_DOUBLE_EQ(guidance_at(10, 1, 1, 1.5, 0), 10);
    EXPECT_NEAR(guidance_at(10, 0.25, 1, 1.5, 0), 1.25, 1e-12);
    EXPECT_DOUBLE_EQ(guidance_at(10, 0.01, 1, 1.5, 0.5), 0.5);
    EXPECT_TRUE((Interval{0.2, 0.8}.has(0.2)));
    EXPECT_FALSE((Interval{0.2, 0.8}.has(0.81)));
}

TEST(Guidance, IsStrongestAtTheMouthOfEachFrame) {
    const at::Tensor field = mouth_field(at::tensor({2.0, 1.0, 4.0, 5.0}).view({2, 2}), 6, 8, 1.5, 0.1);
    EXPECT_EQ(field.sizes(), (std::vector<std::int64_t>{2, 6, 8}));
    EXPECT_FLOAT_EQ(field[0][2][1].item<float>(), 1);
    EXPECT_FLOAT_EQ(field[1][4][5].item<float>(), 1);
    EXPECT_EQ((field == 1).sum().item<std::int64_t>(), 2);
    EXPECT_NEAR(field[0][2][3].item<float>(), 0.1 + 0.9 * std::exp(-4 / 4.5), 1e-6);
    EXPECT_NEAR(field[0][5][7].item<float>(), 0.1 + 0.9 * std::exp(-45 / 4.5), 1e-6);
}

TEST(Flow, StartsWhereTheFusedOperationStarts) {
    const at::Tensor noise = at::empty({3, 2, 4, 4});
    const ops::NoiseKey key{7};
    ops::fill_noise(noise, 1, key);
    const at::Tensor source = at::full({3, 2, 4, 4}, 0.5);
    const at::Tensor fused = at::empty_like(source);
    ops::start_from_source(fused, source, 1, key, 0.75F);
    EXPECT_LT((at_level(source, noise, 0.75) - fused).abs().max().item<float>(), 1e-6);
}

TEST(Flow, ThePathsVelocityHasNoLoss) {
    const at::Tensor clean = at::tensor({1.0, 2.0});
    const at::Tensor noise = at::tensor({-1.0, 0.5});
    EXPECT_EQ(velocity_loss(noise - clean, clean, noise).item<double>(), 0);
    EXPECT_DOUBLE_EQ(velocity_loss(clean, clean, noise).item<double>(), (9 + 3.5 * 3.5) / 2);
    // One step along the velocity, from any level, arrives at the data.
    Integrator euler(Solver::euler);
    const at::Tensor arrived = euler.step(at_level(clean, noise, 0.7), noise - clean, 0.7, 0);
    EXPECT_LT((arrived - clean).abs().max().item<double>(), 1e-6);
}

TEST(Rotary3d, HeadsThatDoNotSplitAreRefused) {
    EXPECT_THROW((void)rotary_3d({1, 1, 1}, 64), Error);
    EXPECT_THROW((void)rotary_3d({1, 1, 1}, 16), Error);
    EXPECT_EQ(rotary_3d({2, 3, 4}, 12).cos.sizes(), (std::vector<std::int64_t>{24, 6}));
}

TEST(BlockStore, HoldsWhatTheBudgetAllowsAndMakesTheOthersAgain) {
    for (const auto& [budget, residents] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 0}, {25, 0}, {30, 1}, {49, 2}, {50, 5}, {1000, 5}}) {
        std::atomic<int> made = 0;
        weights::BlockStore<int> store(5, 10, budget, [&](std::int64_t i) {
            ++made;
            return static_cast<int>(i) * 7;
        });
        EXPECT_EQ(store.residents(), residents) << budget;
        for (int pass = 0; pass < 3; ++pass)
            for (int i = 0; i < 5; ++i) EXPECT_EQ(store.use(i), i * 7);
        EXPECT_EQ(made, residents + 3 * (5 - residents)) << budget;
    }
}

TEST(BlockStore, AFailureComesWithTheBlockAndOtherBlocksRemainUsable) {
    weights::BlockStore<int> store(3, 10, 0, [](std::int64_t i) {
        require(i != 1, ExitCode::bad_data, "block ", i);
        return static_cast<int>(i);
    });
    EXPECT_EQ(store.use(0), 0);
    EXPECT_THROW((void)store.use(1), Error);
    EXPECT_EQ(store.use(2), 2);
    EXPECT_EQ(store.use(0), 0) << "out of turn";
}

}  // namespace
}  // namespace omnisync::diffusion
