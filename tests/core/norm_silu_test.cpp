// Norms over channels with SiLU against the tensor operations that they stand for.
#include "ops/norm_silu.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>

#include "omnisync/error.h"

namespace omnisync::ops {
namespace {

double apart(const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kFloat) - b.to(at::kFloat)).abs().max().item<double>();
}

at::Tensor rms_by_tensors(const at::Tensor& x, const at::Tensor& gamma) {
    const at::Tensor unit = x / at::linalg_vector_norm(x, 2, {1}, true).clamp_min(1e-12);
    return unit * std::sqrt(static_cast<double>(x.size(1))) * gamma;
}

TEST(NormSilu, RmsIsThatOfTensors) {
    const at::Tensor gamma = at::randn({24, 1, 1, 1}) * 0.2 + 1;
    const at::Tensor x = at::randn({2, 24, 3, 17, 13}) * 3;
    for (const at::Tensor& laid : {x, x.contiguous(at::MemoryFormat::ChannelsLast3d), x.transpose(3, 4)}) {
        const at::Tensor expected = rms_by_tensors(laid, gamma);
        EXPECT_LT(apart(rms_norm_silu(laid, gamma, false), expected), 1e-5);
        EXPECT_LT(apart(rms_norm_silu(laid, gamma, true), at::silu(expected)), 1e-5);
    }
    EXPECT_TRUE(rms_norm_silu(x.contiguous(at::MemoryFormat::ChannelsLast3d), gamma, true)
                    .is_contiguous(at::MemoryFormat::ChannelsLast3d));
    EXPECT_LT(
        apart(rms_norm_silu(x.to(at::kBFloat16), gamma.to(at::kBFloat16), true), at::silu(rms_by_tensors(x, gamma))),
        0.05);
    EXPECT_EQ(apart(rms_norm_silu(at::zeros({1, 24, 1, 2, 2}), gamma, true), at::zeros({1, 24, 1, 2, 2})), 0);
}

TEST(NormSilu, GroupsAreThoseOfTensors) {
    const at::Tensor x = at::randn({2, 32, 19, 11}) * 2 + 1;
    const at::Tensor gamma = at::randn({32}), beta = at::randn({32});
    for (const at::Tensor& laid : {x, x.contiguous(at::MemoryFormat::ChannelsLast)}) {
        const at::Tensor expected = at::group_norm(laid, 8, gamma, beta, 1e-5);
        EXPECT_LT(apart(group_norm_silu(laid, 8, gamma, beta, 1e-5, false), expected), 2e-5);
        EXPECT_LT(apart(group_norm_silu(laid, 8, gamma, beta, 1e-5, true), at::silu(expected)), 2e-5);
    }
}

TEST(NormSilu, WhatDoesNotFitIsRefused) {
    const at::Tensor x = at::randn({1, 8, 4});
    EXPECT_THROW((void)rms_norm_silu(x, at::randn({7}), true), Error);
    EXPECT_THROW((void)rms_norm_silu(x.to(at::kHalf), at::randn({8}), true), Error);
    EXPECT_THROW((void)group_norm_silu(x, 3, at::randn({8}), {}, 1e-5, true), Error);
}

}  // namespace
}  // namespace omnisync::ops
