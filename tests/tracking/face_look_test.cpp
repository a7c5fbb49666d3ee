#include "tracking/face_look.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "base/canonical_face.h"

namespace omnisync::test {
namespace {

using tracking::FaceLook;
using tracking::look_at_face;

/// Luma of `width` x `height`: what `paint` says of each place of the canonical face, which lies at `to_canonical`.
struct Picture {
    int width;
    int height;
    std::vector<std::uint8_t> luma;
    template <class Paint>
    Picture(int columns, int rows, const Similarity& to_canonical, Paint paint)
        : width(columns), height(rows), luma(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {
        for (int y = 0; y < rows; ++y)
            for (int x = 0; x < columns; ++x) {
                const Point at = to_canonical({static_cast<float>(x), static_cast<float>(y)});
                luma[static_cast<std::size_t>(y * columns + x)] =
                    static_cast<std::uint8_t>(std::clamp(paint(at.x, at.y), 0.0F, 255.0F));
            }
    }
    [[nodiscard]] GrayView view() const { return {luma.data(), width, width, height}; }
};

Landmarks landmarks_at(const Similarity& to_canonical) {
    const Similarity back = to_canonical.inverse();
    Landmarks landmarks{};
    for (const CanonicalPoint& point : kCanonicalTemplate)
        landmarks[static_cast<std::size_t>(point.landmark)] = back(point.place);
    return landmarks;
}

/// Stripes with edges smeared by `blur` canonical pixels.
auto stripes(double blur) {
    return [blur](float x, float y) {
        const auto wave = [blur](double u) {
            const double phase = u / 48 - std::floor(u / 48);
            const double off = (0.25 - std::abs(phase - 0.5)) * 48;  // to the next edge
            return blur > 0 ? 0.5 * (1 + std::erf(off / blur / 1.4142)) : (off > 0 ? 1.0 : 0.0);
        };
        return static_cast<float>(20 + 110 * wave(x + 0.3 * y) + 110 * wave(y - 0.2 * x));
    };
}

TEST(FaceLook, TheLowerFaceIsSeenInTheCanonicalPoseWhateverThePlacement) {
    const auto paint = [](float x, float y) { return 0.8F * x + 0.5F * y; };
    for (const Similarity place : {Similarity{}, Similarity{0.5, 0.2, -20, -60}, Similarity{1.6, -0.5, 10, 30}}) {
        const Picture picture(500, 500, place, paint);
        const FaceLook look = look_at_face(picture.view(), landmarks_at(place));
        const Similarity back = place.inverse();
        for (int j = 0; j < FaceLook::kSide; ++j)
            for (int i = 0; i < FaceLook::kSide; ++i) {
                const Point centre{34.5F + 6 * static_cast<float>(i), 64.5F + 6 * static_cast<float>(j)};
                const Point in_picture = back(centre);
                if (in_picture.x < 8 || in_picture.y < 8 || in_picture.x > 491 || in_picture.y > 491) continue;
                EXPECT_NEAR(look.lower[static_cast<std::size_t>(j * FaceLook::kSide + i)], paint(centre.x, centre.y),
                            2);
            }
    }
}

TEST(FaceLook, LightIsTheMedianOfTheFaceAndNotOfItsSurroundings) {
    const auto paint = [](float x, float y) { return std::hypot((x - 80) / 46, (y - 92) / 56) < 1 ? 51.0F : 250.0F; };
    const Similarity place{0.7, 0, 0, 0};
    const Picture picture(300, 300, place, paint);
    EXPECT_NEAR(look_at_face(picture.view(), landmarks_at(place)).light, 0.2, 0.01);
}

TEST(FaceLook, SharpnessFallsWithBlurAndHardlyDependsOnSize) {
    for (const double scale : {0.25, 0.5, 1.0}) {
        const Similarity place{scale, 0, 0, 0};
        float last = 1.1F;
        std::vector<float> measured;
        for (const double blur : {0.0, 1.0, 2.0, 4.0}) {
            const int side = static_cast<int>(180 / scale);
            const Picture picture(side, side, place, stripes(blur));
            measured.push_back(look_at_face(picture.view(), landmarks_at(place)).sharpness);
            EXPECT_LT(measured.back(), last) << scale << ' ' << blur;
            last = measured.back();
        }
        EXPECT_GT(measured[0], 0.6) << scale;
        EXPECT_LT(measured[3], 0.15) << scale;
    }
}

TEST(FaceLook, NeitherGarbageNorEdgesHarm) {
    const Picture picture(40, 30, {}, [](float, float) { return 100.0F; });
    const float nan = std::nanf("");
    const float infinite = std::numeric_limits<float>::infinity();
    std::vector<Landmarks> all{Landmarks{}, landmarks_at({}), landmarks_at({1, 0, 1e6, -1e6}),
                               landmarks_at({1e3, 0, 0, 0}), landmarks_at({2e-4, 0, 0, 0})};
    for (const float value : {nan, infinite, -infinite, 3e38F}) {
        all.push_back(landmarks_at({}));
        all.back()[33].y = value;
        all.emplace_back().fill({value, value});
    }
    for (const Landmarks& landmarks : all)
        for (const GrayView& view : {picture.view(), GrayView{picture.luma.data(), 40, 1, 1}, GrayView{}}) {
            const FaceLook look = look_at_face(view, landmarks);
            EXPECT_TRUE(look.sharpness >= 0 && look.sharpness <= 1);
            EXPECT_TRUE(look.light >= 0 && look.light <= 1);
        }
}

}  // namespace
}  // namespace omnisync::test
