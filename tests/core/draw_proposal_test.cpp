// The proposal drawn in one pass against its twin of tensors.
#include "compositing/draw_proposal.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "base/canonical_face.h"

namespace omnisync::compositing {
namespace {

constexpr double kClose = 2e-3;  // of colours and weights of 0 .. 1

class Dice {
public:
    explicit Dice(unsigned seed) : engine_(seed) {}
    double operator()(double low, double high) { return std::uniform_real_distribution<double>(low, high)(engine_); }

private:
    std::mt19937 engine_;
};

/// Canonical landmarks: the template's rigid points, a jaw and lips about where they belong, all moved a little.
at::Tensor landmarks(Dice& dice, double by) {
    at::Tensor points = at::zeros({1, kLandmarks, 2});
    auto p = points.accessor<float, 3>();
    const auto put = [&](int index, double x, double y) {
        p[0][index][0] = static_cast<float>(x + dice(-by, by));
        p[0][index][1] = static_cast<float>(y + dice(-by, by));
    };
    for (int i = 0; i < kLandmarks; ++i) put(i, 80, 50);
    for (const CanonicalPoint& fixed : kCanonicalTemplate) put(fixed.landmark, fixed.place.x, fixed.place.y);
    for (int i = 0; i < 17; ++i) {
        const double angle = 3.14159 * (1 - i / 16.0);
        put(i, 80 + 55 * std::cos(angle), 85 + 65 * std::sin(angle));
    }
    for (int i = 0; i < 20; ++i) {
        const bool outer = i < 12;
        const double angle = 3.14159 * (1 + 2.0 * (outer ? i / 12.0 : (i - 12) / 8.0));
        put(48 + i, 80 + (outer ? 22 : 15) * std::cos(angle), 111 + (outer ? 9 : 3) * std::sin(angle));
    }
    return points;
}

/// Waves of 14 pixels and more about a grey: [1, 3, height, width], 0 .. 1.
at::Tensor smooth_picture(Dice& dice, std::int64_t width, std::int64_t height) {
    const at::Tensor x = at::arange(width, at::kDouble).unsqueeze(0);
    const at::Tensor y = at::arange(height, at::kDouble).unsqueeze(1);
    std::vector<at::Tensor> colours;
    for (int c = 0; c < 3; ++c) {
        at::Tensor plane = at::zeros({height, width}, at::kDouble) + dice(0.4, 0.6);
        for (int wave = 0; wave < 3; ++wave) {
            const double angle = dice(0, 6.28);
            const double pace = 6.28 / dice(14, 60);
            plane = plane + 0.13 * at::sin(x * (pace * std::cos(angle)) + y * (pace * std::sin(angle)) + dice(0, 6));
        }
        colours.push_back(plane.to(at::kFloat));
    }
    return at::stack(colours).unsqueeze(0);
}

/// A similarity from canonical pixels to those of a picture, whose face's mouth comes to lie at (x, y).
struct Placing {
    double a, b, dx, dy;
    Placing(double scale, double turn, double x, double y) : a(scale * std::cos(turn)), b(scale * std::sin(turn)) {
        dx = x - (a * 80 - b * 111);
        dy = y - (b * 80 + a * 111);
    }
    [[nodiscard]] at::Tensor to_pixels() const {
        return at::tensor({a, -b, dx, b, a, dy}).view({1, 2, 3}).to(at::kFloat);
    }
    [[nodiscard]] Affine to_canonical() const {
        const double size = a * a + b * b;
        return {a / size, b / size, -(a * dx + b * dy) / size, -b / size, a / size, (b * dx - a * dy) / size};
    }
};

double largest(const at::Tensor& x) {
    return x.abs().max().item<double>();
}

/// Both ways to draw; what holds between them.
void expect_the_same(const FacePictures& source, const FacePictures& exemplar, const at::Tensor& target,
                     const Affine& to_canonical, const Area& area) {
    const DrawnProposal drawn = draw_proposal(source, exemplar, target, to_canonical, area);
    const Proposal made = propose(source, exemplar, {}, target, points_of(to_canonical, area));
    ASSERT_EQ(drawn.pixels.sizes(), made.blended[0].sizes());
    ASSERT_EQ(drawn.edit.sizes(), made.edit[0].sizes());
    EXPECT_LT(largest(drawn.edit - made.edit[0]), kClose);
    const at::Tensor edited = (drawn.edit > 0).to(at::kFloat);
    EXPECT_LT(largest((drawn.pixels - made.blended[0]) * edited), kClose);
    EXPECT_EQ(largest(drawn.pixels * (1 - edited)), 0);
    // That there was something to compare: pixels of both kinds, and a mouth that is not the source's.
    EXPECT_GT(edited.mean().item<double>(), 0.05);
    EXPECT_GT((1 - edited).sum().item<double>(), 100);
    EXPECT_GT(largest((made.blended - made.source)[0] * edited), 0.05);
}

TEST(DrawnProposals, EqualTheirTwinOfTensors) {
    for (unsigned seed = 1; seed <= 6; ++seed) {
        SCOPED_TRACE(seed);
        Dice dice(seed);
        const Placing place(dice(0.6, 2.2), dice(-0.4, 0.4), dice(130, 180), dice(110, 150));
        const FacePictures source{smooth_picture(dice, 310, 260), place.to_pixels(), landmarks(dice, 2)};
        const Placing lent(dice(0.6, 2.2), dice(-0.4, 0.4), dice(110, 140), dice(90, 120));
        const FacePictures exemplar{smooth_picture(dice, 250, 210), lent.to_pixels(), landmarks(dice, 3)};
        expect_the_same(source, exemplar, landmarks(dice, 3), place.to_canonical(), {9, 14, 290, 230});
    }
}

TEST(DrawnProposals, EqualTheirTwinWhereAFaceLiesHalfOutside) {
    // The mouth on each edge of the source, then of the exemplar: beyond it the last pixels are repeated.
    const double mouths[][2] = {{0, 60}, {120, 60}, {60, 0}, {60, 120}};
    for (const bool lent_outside : {false, true})
        for (const auto& mouth : mouths) {
            SCOPED_TRACE(testing::Message() << lent_outside << ' ' << mouth[0] << ' ' << mouth[1]);
            Dice dice(99);
            const Placing inside(1.1, 0.1, 80, 70);
            const Placing outside(1.1, -0.2, mouth[0], mouth[1]);
            const Placing& place = lent_outside ? inside : outside;
            const Placing& lent = lent_outside ? outside : inside;
            const FacePictures source{smooth_picture(dice, 121, 121), place.to_pixels(), landmarks(dice, 2)};
            const FacePictures exemplar{smooth_picture(dice, 121, 121), lent.to_pixels(), landmarks(dice, 2)};
            expect_the_same(source, exemplar, landmarks(dice, 3), place.to_canonical(), {-40, -40, 200, 200});
        }
}

TEST(DrawnProposals, NothingIsDrawnBesideTheFace) {
    Dice dice(5);
    const Placing place(1, 0, 60, 60);
    const FacePictures face{smooth_picture(dice, 121, 121), place.to_pixels(), landmarks(dice, 1)};
    const DrawnProposal drawn = draw_proposal(face, face, landmarks(dice, 3), place.to_canonical(), {200, 200, 40, 30});
    EXPECT_EQ(largest(drawn.edit), 0);
    EXPECT_EQ(largest(drawn.pixels), 0);
}

}  // namespace
}  // namespace omnisync::compositing
