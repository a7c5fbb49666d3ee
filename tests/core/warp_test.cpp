#include "geometry/warp.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <cmath>

#include "geometry/lower_face.h"

namespace omnisync::geometry {
namespace {

double largest(const at::Tensor& x) {
    return x.abs().max().item<double>();
}

TEST(Warps, ReproduceAffineMotionExactly) {
    const at::Tensor to = at::rand({2, 20, 2}) * 100;
    const at::Tensor matrix = at::tensor({1.1F, 0.1F, -0.05F, 0.95F}).view({2, 2});
    const at::Tensor shift = at::tensor({3.F, -2.F});
    const Warp warp = fit_warp(to, at::matmul(to, matrix) + shift);
    const at::Tensor points = at::rand({50, 2}) * 100;
    EXPECT_LT(largest(warp(points) - (at::matmul(points, matrix) + shift - points)), 1e-2);
}

TEST(Warps, ComeNearTheirControlPointsAndDampOneThatStrays) {
    at::Tensor to =
        at::stack({at::arange(5, at::kFloat).repeat({5}), at::arange(5, at::kFloat).repeat_interleave(5)}, 1)
            .unsqueeze(0) *
        20;
    at::Tensor from = to.clone();
    from[0][12][1] += 8;  // the middle one
    const at::Tensor moved = fit_warp(to, from)(to);
    const double middle = moved[0][12][1].item<double>();
    EXPECT_GT(middle, 4.0);
    EXPECT_LT(middle, 8.0);
    EXPECT_LT(largest(moved[0][0]), 1.0);
}

TEST(Polygons, DistanceIsSignedAndExact) {
    const at::Tensor square = at::tensor({0.F, 0.F, 10.F, 0.F, 10.F, 10.F, 0.F, 10.F}).view({1, 4, 2});
    const at::Tensor points = at::tensor({5.F, 5.F, 5.F, 12.F, 13.F, 14.F, 1.F, 5.F, -3.F, 5.F}).view({5, 2});
    const at::Tensor expected = at::tensor({-5.F, 2.F, 5.F, -1.F, 3.F}).unsqueeze(0);
    EXPECT_LT(largest(distance_to_polygon(square, points) - expected), 1e-5);
}

/// A face about as the canonical template has it.
at::Tensor face() {
    at::Tensor points = at::rand({1, 68, 2});
    for (int i = 0; i < 17; ++i) {  // jaw
        const double angle = 3.14159 * (1 - i / 16.0);
        points[0][i][0] = 80 + 55 * std::cos(angle);
        points[0][i][1] = 85 + 65 * std::sin(angle);
    }
    const float nose[9][2] = {{80, 50}, {80, 60}, {80, 70}, {80, 79}, {69, 87}, {74, 89}, {80, 90}, {86, 89}, {91, 87}};
    for (int i = 0; i < 9; ++i)
        for (int c = 0; c < 2; ++c) points[0][27 + i][c] = nose[i][c];
    for (int i = 0; i < 20; ++i) {  // outer lips 12, inner 8
        const bool outer = i < 12;
        const double angle = 3.14159 * (1 + 2.0 * (outer ? i / 12.0 : (i - 12) / 8.0));
        points[0][48 + i][0] = 80 + (outer ? 22 : 15) * std::cos(angle);
        points[0][48 + i][1] = 111 + (outer ? 9 : 3) * std::sin(angle);
    }
    return points;
}

TEST(LowerFaces, NothingMovesOutsideTheRegionNorWithoutACause) {
    const at::Tensor still = face();
    at::Tensor open = still.clone();
    open.narrow(1, 4, 9).select(2, 1).add_(6);
    const at::Tensor points = window_points();
    EXPECT_LT(largest(region_warp(still, still, points)), 1e-3);
    EXPECT_GT(largest(region_warp(open, still, points)), 3);
    const at::Tensor outside = at::tensor({10.F, 60.F, 150.F, 100.F, 80.F, 40.F, 80.F, 180.F}).view({1, 4, 2});
    EXPECT_EQ(largest(region_warp(open, still, outside)), 0);
}

TEST(LowerFaces, MattesAreNothingOutsideAndWholeOnTheMouth) {
    const at::Tensor still = face();
    const at::Tensor places =
        at::tensor({80.F, 111.F, 80.F, 60.F, 20.F, 110.F, 10.F, 10.F, 80.F, 200.F}).view({1, 5, 2});
    const Mattes made = mattes(still, still, places);
    EXPECT_NEAR(made.edit[0][0][0].item<double>(), 1, 1e-6);
    EXPECT_NEAR(made.mouth[0][0][0].item<double>(), 1, 1e-6);
    for (int i = 1; i < 5; ++i) {
        EXPECT_EQ(made.edit[0][0][i].item<double>(), 0) << i;
        EXPECT_EQ(made.mouth[0][0][i].item<double>(), 0) << i;
    }
}

}  // namespace
}  // namespace omnisync::geometry
