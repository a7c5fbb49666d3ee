// Borrowed mouths: what they are chosen by, how one gives way to the next, what is between lips that never part.
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "base/canonical_face.h"
#include "engines/portable/exemplars.h"
#include "engines/portable/fade.h"
#include "engines/portable/interior.h"
#include "geometry/lower_face.h"
#include "geometry/warp.h"
#include "omnisync/faces.h"

namespace omnisync::portable {
namespace {

/// A face whose inner lips are `open` canonical pixels apart: [1, 68, 2].
at::Tensor face(double open) {
    at::Tensor points = at::zeros({1, kLandmarks, 2});
    auto p = points.accessor<float, 3>();
    const auto put = [&](int index, double x, double y) {
        p[0][index][0] = static_cast<float>(x);
        p[0][index][1] = static_cast<float>(y);
    };
    for (int i = 0; i < kLandmarks; ++i) put(i, 80, 50);
    for (const CanonicalPoint& fixed : kCanonicalTemplate) put(fixed.landmark, fixed.place.x, fixed.place.y);
    for (int i = 0; i < 17; ++i) {
        const double angle = std::numbers::pi * (1 - i / 16.0);
        put(i, 80 + 55 * std::cos(angle), 85 + 65 * std::sin(angle) + (i > 3 && i < 13 ? open / 2 : 0));
    }
    const double inner[8][2] = {{-15, 0}, {-7, -1}, {0, -1}, {7, -1}, {15, 0}, {7, 1}, {0, 1}, {-7, 1}};
    for (int i = 0; i < 12; ++i) {
        const double angle = std::numbers::pi * (1 + i / 6.0);
        put(48 + i, 80 + 22 * std::cos(angle), 111 + (8 + open / 2) * std::sin(angle));
    }
    for (int i = 0; i < 8; ++i) put(60 + i, 80 + inner[i][0], 111 + inner[i][1] * open / 2);
    return points;
}

/// The canonical region at one pixel a canonical pixel, grey `level` with stripes of `fine` strength.
compositing::FacePictures picture(const at::Tensor& landmarks, double level, double fine) {
    const at::Tensor checks = (at::arange(128).remainder(2) * 2 - 1).to(at::kFloat);
    const at::Tensor pixels = at::full({1, 3, 128, 128}, level) + checks * fine;
    const at::Tensor to_pixels = at::tensor({1.F, 0.F, -static_cast<float>(geometry::kRegionX), 0.F, 1.F,
                                             -static_cast<float>(geometry::kRegionY)})
                                     .view({1, 2, 3});
    return {pixels.contiguous(), to_pixels, landmarks};
}

TEST(Mouths, AreLikeThoseThatAreAsOpen) {
    const at::Tensor many = mouth_of(at::cat({face(0), face(3), face(6), face(12)}));
    const at::Tensor apart = unlikeness(many, mouth_of(face(3))[0]);
    EXPECT_EQ(apart[1].item<float>(), 0);
    EXPECT_GT(apart[0].item<float>(), apart[2].item<float>()) << "pulled out of shut lips, a mouth shows nothing";
    EXPECT_GT(apart[3].item<float>(), apart[2].item<float>());
}

TEST(Fades, TakeLightAtLargeAndLeaveDetail) {
    const at::Tensor landmarks = face(6);
    compositing::FacePictures one = picture(landmarks, 0.5, 0.1);
    compositing::FacePictures other = picture(landmarks, 0.5, 0);
    const auto inside = [](const at::Tensor& pixels) { return pixels.narrow(2, 58, 10).narrow(3, 58, 12); };
    inside(other.pixels).add_(0.3);  // teeth
    EXPECT_TRUE(at::allclose(towards(one, other, 0).pixels, one.pixels));
    const at::Tensor change = towards(one, other, 0.5F).pixels - one.pixels;
    EXPECT_GT(inside(change).mean().item<double>(), 0.05);
    EXPECT_LT(inside(change).mean().item<double>(), 0.15);
    const at::Tensor steps = inside(change).diff(1, 3).abs();
    EXPECT_LT(steps.max().item<double>(), 0.06) << "the stripes stay as strong as they were";
    EXPECT_EQ(change.narrow(2, 0, 20).abs().max().item<double>(), 0) << "nothing but the mouth";
}

TEST(Interiors, AreDarkOnlyWhereNoneIsLent) {
    EXPECT_EQ(unseen_interior(face(6), face(6)), 0);
    EXPECT_EQ(unseen_interior(face(1), face(0)), 0) << "lips that stay together";
    EXPECT_EQ(unseen_interior(face(6), face(0)), 1);
    const auto grids = at::meshgrid({at::arange(160, at::kFloat), at::arange(160, at::kFloat)}, "ij");
    const at::Tensor points = at::stack({grids[1], grids[0]}, -1);
    const at::Tensor before = at::full({3, 160, 160}, 0.6);
    const at::Tensor pixels = before.clone();
    darken_interior(pixels, face(8), points, 1);
    EXPECT_LT(pixels.select(1, 109).select(1, 80).max().item<float>(), 0.2);
    EXPECT_LT(pixels.select(1, 109).select(1, 80).max().item<float>(),
              pixels.select(1, 113).select(1, 80).min().item<float>())
        << "light falls on the tongue";
    const at::Tensor changed = (pixels - before).abs().amax(0) > 0;
    const at::Tensor far =
        geometry::distance_to_polygon(face(8).narrow(1, 60, 8), points.view({-1, 2}))[0].view_as(changed) > 1;
    EXPECT_FALSE(changed.logical_and(far).any().item<bool>()) << "lips and skin stay";
}

}  // namespace
}  // namespace omnisync::portable
