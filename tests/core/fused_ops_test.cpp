// The bridges of the transformer's kernels: each against the tensor operations that it stands for, views and threads
// included, and what they refuse. The arithmetic itself is kernelcheck's matter.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/attention.h"
#include "diffusion/guidance.h"
#include "diffusion/modulation.h"
#include "diffusion/rotary_3d.h"
#include "ops/bias_activation.h"
#include "ops/gated_norm.h"
#include "ops/guided_step.h"
#include "ops/inference.h"
#include "ops/qk_norm_rope.h"
#include "support/operations.h"

namespace omnisync::ops {
namespace {

using test::refusal;
using test::Threads;
using ::testing::HasSubstr;

bool close(const at::Tensor& a, const at::Tensor& b) {
    return at::allclose(a, b, 1e-5, 2e-6);
}

TEST(GatedNorm, JoinsNormalisesAndModulates) {
    const at::Tensor wide = at::randn({3, 50, 2, 40});  // x is a view with gaps between its rows
    const at::Tensor x = wide.select(2, 1), branch = at::randn({3, 50, 40}), out = at::empty({3, 50, 40});
    const at::Tensor rows = at::randn({3, 3, 40});
    const auto row = [&](std::int64_t i) { return rows.narrow(1, i, 1); };
    const at::Tensor joined = x + row(0) * branch;
    gated_norm({.x = x, .branch = branch, .out = out, .gate = row(0), .scale = row(1), .shift = row(2)});
    EXPECT_TRUE(close(x, joined));
    EXPECT_TRUE(close(out, at::layer_norm(joined, {40}, {}, {}, 1e-6) * (row(1) + 1) + row(2)));
}

TEST(GatedNorm, HasAffineNormsRowsForTokensAtRestAndRowsPerToken) {
    const at::Tensor x = at::randn({2, 9, 24}), gain = at::randn({24}), bias = at::randn({24}), out = at::empty_like(x);
    gated_norm({.x = x, .out = out, .epsilon = 1e-5, .gain = gain, .bias = bias});
    EXPECT_TRUE(close(out, at::layer_norm(x, {24}, gain, bias, 1e-5)));
    gated_norm({.x = x, .out = out, .norm = kernels::Norm::rms, .gain = gain});
    EXPECT_TRUE(close(out, at::rms_norm(x, {24}, gain, 1e-6)));

    const at::Tensor two = at::randn({2, 24});
    const at::Tensor each = at::cat({two.narrow(0, 0, 1).expand({4, 24}), two.narrow(0, 1, 1).expand({5, 24})});
    const at::Tensor expected = at::layer_norm(x, {24}, {}, {}, 1e-6) * (each + 1);
    gated_norm({.x = x, .out = out, .scale = two, .at_rest = 4});
    EXPECT_TRUE(close(out, expected));
    gated_norm({.x = x, .out = out, .scale = each.unsqueeze(0)});
    EXPECT_TRUE(close(out, expected));
}

TEST(GatedNorm, GivesTheSameBitsOnTwoThreads) {
    const at::Tensor x = at::randn({2, 900, 384}), one = at::empty_like(x), two = at::empty_like(x);
    {
        const Threads threads(1);
        gated_norm({.x = x, .out = one});
    }
    const Threads threads(2);
    gated_norm({.x = x, .out = two});
    EXPECT_TRUE(at::equal(one, two));
}

TEST(GatedNorm, RefusesWhatDoesNotFit) {
    const at::Tensor x = at::zeros({2, 3, 8});
    EXPECT_THAT(refusal([&] { gated_norm({.x = x.to(at::kDouble), .out = x}); }), HasSubstr("float32 or bfloat16"));
    EXPECT_THAT(refusal([&] {
                    gated_norm({.x = x, .branch = at::zeros({2, 3, 7})});
                }),
                HasSubstr("branch must be as x"));
    EXPECT_THAT(refusal([&] { gated_norm({.x = x.transpose(1, 2), .out = x}); }), HasSubstr("contiguous rows"));
    EXPECT_THAT(refusal([&] { gated_norm({.x = x, .out = x, .gain = at::zeros({7})}); }), HasSubstr("rows of 8"));
    EXPECT_THAT(refusal([&] {
                    gated_norm({.x = x, .out = x, .scale = at::zeros({3, 3, 8})});
                }),
                HasSubstr("broadcast"));
    EXPECT_THAT(refusal([&] {
                    gated_norm({.x = x, .out = x, .scale = at::zeros({3, 8}), .at_rest = 1});
                }),
                HasSubstr("two rows"));
    EXPECT_THAT(refusal([&] { gated_norm({.x = x, .out = x, .epsilon = 0}); }), HasSubstr("epsilon"));
    EXPECT_THAT(refusal([&] {
                    gated_norm({.x = at::zeros({1, 3, 8}).expand({2, 3, 8}), .branch = x});
                }),
                HasSubstr("expanded"));
}

TEST(QkNormRope, IsXDubsNormAndRotation) {
    const diffusion::Grid grid{2, 3, 4};
    const at::Tensor rotor = diffusion::rotor({diffusion::rotary_3d(grid, 24)}, at::empty({1}));
    const at::Tensor q = at::randn({2, 24, 96}), k = at::randn({2, 24, 96});
    const at::Tensor q_gain = at::randn({96}), k_gain = at::randn({96});
    const auto expected = [&](const at::Tensor& x, const at::Tensor& gain) {
        return diffusion::rotate_pairs(diffusion::rms_norm(x, gain, 1e-6), rotor);
    };
    const at::Tensor q_expected = expected(q, q_gain), k_expected = expected(k, k_gain);
    qk_norm_rope({.q = q.unflatten(-1, {4, 24}),
                  .k = k.unflatten(-1, {4, 24}),
                  .norm = kernels::QkNorm::token,
                  .q_gain = q_gain,
                  .k_gain = k_gain,
                  .rotation = kernels::Rotation::pairs,
                  .cos = rotor});
    EXPECT_TRUE(close(q, q_expected));
    EXPECT_TRUE(close(k, k_expected));
}

TEST(QkNormRope, TurnsHalvesOfPackedHeadsInPlace) {
    const at::Tensor qkv = at::randn({2, 10, 3, 4, 32});
    const at::Tensor before = qkv.clone();
    const diffusion::Rotary by =
        diffusion::rotary(at::tensor({0., 1., 2., 3., 4., 5., 6., 7., 8., 9.}, at::kFloat), 32, 50);
    const at::Tensor gain = at::randn({32});
    qk_norm_rope({.q = qkv.select(2, 0),
                  .k = qkv.select(2, 1),
                  .norm = kernels::QkNorm::head,
                  .q_gain = gain,
                  .rotation = kernels::Rotation::halves,
                  .cos = by.cos,
                  .sin = by.sin});
    const at::Tensor normal = at::rms_norm(before.select(2, 0), {32}, gain, 1e-6);
    const auto halves = normal.chunk(2, -1);
    const at::Tensor cos = by.cos.unsqueeze(1), sin = by.sin.unsqueeze(1);
    EXPECT_TRUE(
        close(qkv.select(2, 0), at::cat({halves[0] * cos - halves[1] * sin, halves[0] * sin + halves[1] * cos}, -1)));
    EXPECT_TRUE(at::equal(qkv.select(2, 2), before.select(2, 2)));
    EXPECT_FALSE(at::equal(qkv.select(2, 1), before.select(2, 1)));
}

TEST(QkNormRope, RefusesWhatDoesNotFit) {
    const at::Tensor q = at::zeros({1, 4, 2, 8});
    EXPECT_THAT(refusal([&] { qk_norm_rope({.q = at::zeros({4, 16})}); }), HasSubstr("[B, T, heads, head_dim]"));
    EXPECT_THAT(refusal([&] { qk_norm_rope({.q = q, .k = at::zeros({1, 4, 2, 6})}); }), HasSubstr("k must be as q"));
    EXPECT_THAT(refusal([&] { qk_norm_rope({.q = q, .q_gain = at::zeros({4})}); }), HasSubstr("row of 8 or 16"));
    EXPECT_THAT(refusal([&] {
                    qk_norm_rope({.q = q, .rotation = kernels::Rotation::pairs, .cos = at::zeros({4, 4})});
                }),
                HasSubstr("ComplexFloat"));
    EXPECT_THAT(refusal([&] { qk_norm_rope({.q = q, .rotation = kernels::Rotation::halves}); }),
                HasSubstr("undefined"));
}

TEST(BiasActivation, IsLibTorchsInPlace) {
    const at::Tensor x = at::randn({5, 7, 33}) * 3, bias = at::randn({33});
    const auto made = [&](kernels::Activation activation, const at::Tensor& with) {
        at::Tensor y = x.clone();
        bias_activation_(y, with, activation);
        return y;
    };
    EXPECT_TRUE(close(made(kernels::Activation::gelu_tanh, bias), at::gelu(x + bias, "tanh")));
    EXPECT_TRUE(close(made(kernels::Activation::gelu_erf, {}), at::gelu(x)));
    EXPECT_TRUE(close(made(kernels::Activation::silu, bias), at::silu(x + bias)));
    const at::Tensor part = x.clone();
    bias_activation_(part.narrow(-1, 3, 20), bias.narrow(0, 3, 20), kernels::Activation::silu);
    EXPECT_TRUE(close(part.narrow(-1, 3, 20), at::silu((x + bias).narrow(-1, 3, 20))));
    EXPECT_TRUE(at::equal(part.narrow(-1, 0, 3), x.narrow(-1, 0, 3)));
    EXPECT_THAT(refusal([&] { bias_activation_(x, at::zeros({32}), kernels::Activation::silu); }),
                HasSubstr("as wide"));
    EXPECT_THAT(refusal([&] { bias_activation_(x.narrow(1, 0, 3), {}, kernels::Activation::silu); }),
                HasSubstr("evenly apart"));
}

TEST(GuidedStep, IsTheThreeBranchRuleAndTheMouthsField) {
    const at::Tensor v = at::randn({3, 4, 2, 6, 8}), x = at::randn({4, 2, 6, 8}), out = at::empty_like(x);
    guided_step(
        {.x = x, .out = out, .base = v[1], .first = v[0], .last = v[2], .first_scale = 2.5, .scale = 7, .dt = -0.1});
    EXPECT_TRUE(close(out, x - (v[0] + (v[1] - v[0]) * 2.5 + (v[2] - v[1]) * 7) * 0.1));

    const at::Tensor mouths = at::tensor({2.0, 1.0, 1.5, 0.1, 4.0, 5.0, 1.5, 0.1}, at::kFloat).view({2, 4});
    const at::Tensor field = diffusion::mouth_field(mouths.narrow(1, 0, 2), 6, 8, 1.5, 0.1);
    const at::Tensor tokens = at::empty({2, 3, 4, 4, 2, 2}), previous = at::randn(x.sizes());
    const at::Tensor velocity = v[0] + (v[1] - v[0]) * (field * 7).clamp_min(1);
    const at::Tensor moved = x - (velocity * 1.5 - previous * 0.5) * 0.1;
    guided_step({.x = x,
                 .out = x,
                 .base = v[0],
                 .last = v[1],
                 .scale = 7,
                 .floor = 1,
                 .mouths = mouths,
                 .dt = -0.1,
                 .ahead = 0.5,
                 .previous = previous,
                 .tokens = tokens});
    EXPECT_TRUE(close(x, moved));
    EXPECT_TRUE(close(previous, velocity));
    EXPECT_TRUE(at::equal(tokens, x.view({4, 2, 3, 2, 4, 2}).permute({1, 2, 4, 0, 3, 5})));
    EXPECT_THAT(refusal([&] { guided_step({.x = x, .out = x, .base = v[0], .ahead = 1}); }), HasSubstr("look ahead"));
    EXPECT_THAT(refusal([&] { guided_step({.x = x, .out = x, .base = v[0], .mouths = field}); }), HasSubstr("[2, 4]"));
}

TEST(FusedPath, IsTakenWithoutGradientsAndAgreesWithThePlainOne) {
    const at::Tensor x = at::randn({2, 12, 48}), rows = at::randn({2, 3, 48});
    const auto both = [&] {
        const at::Tensor joined = x.clone();
        diffusion::join_(joined, x * 2, rows.select(1, 2), 5);
        diffusion::gelu_tanh_(joined);
        return diffusion::modulated_norm(joined, rows.select(1, 0), rows.select(1, 1), 5, 1e-6);
    };
    EXPECT_FALSE(fused(x));
    const at::Tensor plain = both();
    const c10::AutoGradMode off(false);
    EXPECT_TRUE(fused(x));
    EXPECT_FALSE(fused(x.to(at::kDouble)));
    EXPECT_FALSE(fused_bfloat16(x));
    EXPECT_TRUE(fused_bfloat16(x.to(at::kBFloat16)));
    EXPECT_TRUE(close(both(), plain));
}

}  // namespace
}  // namespace omnisync::ops
