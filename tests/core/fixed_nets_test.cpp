// Nets as inference runs them against the same nets by tensor operations: equal up to rounding, the same bits on any
// number of threads, and no tensor memory allocated once warm.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/InferenceMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <utility>

#include "engines/portable/motion_net.h"
#include "ops/attention.h"
#include "ops/depthwise_tokens.h"
#include "ops/linear.h"
#include "support/operations.h"
#include "support/render_net.h"

namespace omnisync {
namespace {

/// While it lives, counts what LibTorch allocates on the CPU.
class CountingAllocator final : public c10::Allocator {
public:
    CountingAllocator() : real_(c10::GetCPUAllocator()) { c10::SetCPUAllocator(this, 100); }
    ~CountingAllocator() override { c10::SetCPUAllocator(real_, 100); }
    CountingAllocator(const CountingAllocator&) = delete;
    CountingAllocator& operator=(const CountingAllocator&) = delete;
    c10::DataPtr allocate(std::size_t bytes) override {
        ++count_;
        return real_->allocate(bytes);
    }
    c10::DeleterFnPtr raw_deleter() const override { return real_->raw_deleter(); }
    void copy_data(void* to, const void* from, std::size_t bytes) const override { real_->copy_data(to, from, bytes); }
    [[nodiscard]] int count() const { return count_; }

private:
    c10::Allocator* real_;
    std::atomic<int> count_ = 0;
};

int allocations_of(const std::function<void()>& body) {
    const CountingAllocator allocator;
    body();
    return allocator.count();
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

struct RenderScene {
    weights::Parameters parameters = weights::Parameters::fresh(1);
    portable::RenderNet plain{weights::Scope(parameters), {.width = 96, .blocks = 2, .heads = 3}};
    portable::RenderNet fixed = plain;
    at::Tensor noisy;
    portable::RenderCondition condition;

    explicit RenderScene(std::int64_t batch) {
        test::roughen(parameters, 0.05);
        fixed.fix();
        noisy = test::random_windows(batch, 3);
        condition = test::random_condition(batch);
    }
    [[nodiscard]] at::Tensor run(const portable::RenderNet& net, double level = 0.9, double known = 1) const {
        const std::int64_t batch = noisy.size(0);
        return net.denoise(noisy, at::full({batch}, level), condition, at::full({batch}, known));
    }
};

TEST(FixedNets, TheRenderNetSaysTheSame) {
    const c10::InferenceMode inference;
    for (const std::int64_t batch : {1, 3}) {
        const RenderScene scene(batch);
        for (const auto& [level, known] : {std::pair{0.9, 1.0}, {0.9, 0.0}, {0.4, 1.0}, {0.9, 1.0}}) {
            const at::Tensor expected = scene.run(scene.plain, level, known);
            EXPECT_LT(largest_difference(scene.run(scene.fixed, level, known), expected),
                      2e-5 * expected.abs().max().item<double>())
                << batch << " " << level << " " << known;
        }
    }
}

TEST(FixedNets, TheRenderNetAllocatesItsResultAlone) {
    const c10::InferenceMode inference;
    const RenderScene scene(2);
    const at::Tensor level = at::full({2}, 0.9);
    const at::Tensor known = at::ones({2});
    const auto step = [&] { (void)scene.fixed.denoise(scene.noisy, level, scene.condition, known); };
    step();
    EXPECT_EQ(allocations_of(step), 1);
    EXPECT_GT(allocations_of([&] { (void)scene.plain.denoise(scene.noisy, level, scene.condition, known); }), 50)
        << "what the count is compared with";
}

struct MotionScene {
    static constexpr std::int64_t kFrames = 20;
    weights::Parameters parameters = weights::Parameters::fresh(1);
    portable::MotionNet plain{weights::Scope(parameters),
                              {.ear_width = 32, .heard_width = 32, .width = 96, .blocks = 2, .heads = 3}};
    portable::MotionNet fixed = plain;
    at::Tensor heard = at::randn({2, kFrames, 32});
    at::Tensor expected = at::randn({2, kFrames, portable::kComponents});
    portable::MotionNet::Noisy noisy{at::randn({2, kFrames, portable::kComponents}), at::full({2}, 0.8),
                                     at::zeros({2, kFrames}), at::randn({2, portable::kComponents})};

    MotionScene() {
        test::roughen(parameters, 0.05);
        fixed.fix();
    }
};

TEST(FixedNets, TheMotionNetSaysTheSame) {
    const c10::InferenceMode inference;
    const MotionScene scene;
    const at::Tensor expected = scene.plain.denoise(scene.noisy, scene.heard, scene.expected);
    EXPECT_LT(largest_difference(scene.fixed.denoise(scene.noisy, scene.heard, scene.expected), expected),
              2e-5 * expected.abs().max().item<double>());
    const auto step = [&] { (void)scene.fixed.denoise(scene.noisy, scene.heard, scene.expected); };
    EXPECT_EQ(allocations_of(step), 1);
    const at::Tensor deaf = scene.plain.silence().expand_as(scene.heard);
    EXPECT_LT(largest_difference(scene.fixed.denoise(scene.noisy, deaf, scene.expected),
                                 scene.plain.denoise(scene.noisy, deaf, scene.expected)),
              2e-5 * expected.abs().max().item<double>());
}

TEST(FixedNets, BitsDoNotDependOnThreads) {
    const c10::InferenceMode inference;
    const RenderScene render(2);
    const MotionScene motion;
    const test::Threads one(1);
    const at::Tensor picture = render.run(render.fixed);
    const at::Tensor moved = motion.fixed.denoise(motion.noisy, motion.heard, motion.expected);
    for (const int threads : {2, 3}) {
        const test::Threads several(threads);
        EXPECT_TRUE(at::equal(render.run(render.fixed), picture)) << threads;
        EXPECT_TRUE(at::equal(motion.fixed.denoise(motion.noisy, motion.heard, motion.expected), moved)) << threads;
    }
}

TEST(FixedNets, EightBitsAreNearTheTruth) {
    const c10::InferenceMode inference;
    const RenderScene scene(2);
    portable::RenderNet rounded = scene.plain;
    rounded.fix(ops::Rounding::int8);
    const at::Tensor truth = scene.run(scene.plain);
    const at::Tensor error = scene.run(rounded) - truth;
    const double peak = (truth.max() - truth.min()).item<double>();
    const double psnr = 10 * std::log10(peak * peak / error.square().mean().item<double>());
    EXPECT_GT(psnr, 35);
    EXPECT_LT(psnr, 90) << "nothing was rounded";
}

TEST(FixedNets, GradientsFlowThroughTheOperations) {
    const MotionScene scene;
    const at::Tensor heard = scene.heard.clone().requires_grad_(true);
    EXPECT_TRUE(scene.fixed.denoise(scene.noisy, heard, scene.expected).requires_grad());
}

TEST(FixedOps, RefuseWhatDoesNotFit) {
    const ops::FixedLinear linear(at::randn({5, 4}), {});
    EXPECT_THROW(linear(at::randn({3, 5}), at::zeros({3, 5})), Error);
    EXPECT_THROW(linear(at::randn({3, 4}), at::zeros({2, 5})), Error);
    EXPECT_THROW(linear(at::randn({4, 3}).t(), at::zeros({3, 5})), Error);
    EXPECT_THROW(linear(at::randn({3, 4}, at::kDouble), at::zeros({3, 5})), Error);
    EXPECT_THROW(ops::packed_attention(at::randn({1, 3, 30}), 4, at::zeros({1, 3, 10})), Error);
    EXPECT_THROW(ops::packed_attention(at::randn({1, 3, 24}), 4, at::zeros({1, 2, 8})), Error);
    EXPECT_THROW(ops::packed_attention(at::randn({1, 3, 24}, at::kDouble), 4, at::zeros({1, 3, 8}, at::kDouble)),
                 Error);
    EXPECT_THROW(ops::depthwise_tokens(at::randn({1, 6, 4}), at::randn({9, 4}), 2, 2, at::zeros({1, 6, 4})), Error);
    EXPECT_THROW(ops::depthwise_tokens(at::randn({1, 6, 4}), at::randn({3, 4}), 2, 3, at::zeros({1, 6, 4})), Error);
}

}  // namespace
}  // namespace omnisync
