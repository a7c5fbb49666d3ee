#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <vector>

#include "metrics/mouth.h"
#include "metrics/natural_scene.h"
#include "metrics/pixel_errors.h"
#include "metrics/region.h"
#include "metrics/repeats.h"
#include "support/analysis.h"
#include "support/film.h"

namespace omnisync::metrics {
namespace {

using test::GrayPicture;

constexpr int kWidth = 240, kHeight = 240;

/// Texture of all sizes.
GrayPicture scene(unsigned seed = 1) {
    GrayPicture made(kWidth, kHeight);
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> phase(0, 6.28);
    std::vector<double> waves;
    for (int i = 0; i < 24; ++i) waves.push_back(phase(random));
    for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x) {
            double value = 128;
            for (std::size_t i = 0; i + 1 < waves.size(); i += 2) {
                const double pitch = 0.05 * std::pow(1.35, static_cast<double>(i / 2));
                value += 14 * std::sin(pitch * (std::cos(waves[i]) * x + std::sin(waves[i]) * y) + waves[i + 1]);
            }
            made.at(x, y) = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
        }
    return made;
}

GrayPicture blurred(const GrayPicture& in, int reach) {
    GrayPicture out(in.width, in.height);
    for (int y = 0; y < in.height; ++y)
        for (int x = 0; x < in.width; ++x) {
            int sum = 0, count = 0;
            for (int v = std::max(0, y - reach); v <= std::min(in.height - 1, y + reach); ++v)
                for (int u = std::max(0, x - reach); u <= std::min(in.width - 1, x + reach); ++u, ++count)
                    sum += in.view().data[v * in.width + u];
            out.at(x, y) = static_cast<std::uint8_t>(sum / count);
        }
    return out;
}

/// In the middle of the picture, as large as the canonical face.
FaceFrame face() {
    return test::plain_face(kWidth / 2.0F, kHeight / 2.0F, 100);
}

/// Every pixel that `mask` names moved by `step`.
template <class Mask>
GrayPicture shifted(GrayPicture picture, int step, Mask mask) {
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x)
            if (mask(x, y)) picture.at(x, y) = static_cast<std::uint8_t>(picture.at(x, y) + step);
    return picture;
}

TEST(EditRegion, HoldsTheMouthAndNotTheEyes) {
    const FaceFrame one = face();
    const EditRegion region(one, nullptr, {kWidth, kHeight});
    const auto at = [&](std::size_t i) {
        return region.distance(static_cast<int>(one.landmarks[i].x), static_cast<int>(one.landmarks[i].y));
    };
    EXPECT_EQ(at(62), 0) << "lips";
    EXPECT_GT(at(37), EditRegion::kReach) << "eye";
    EXPECT_GE(region.distance(0, 0), EditRegion::kMargin);
    EXPECT_GE(region.distance(-5, 900), EditRegion::kMargin) << "outside of the picture";
}

TEST(PixelErrors, InsideAndOutsideAreApart) {
    const GrayPicture plain = scene();
    const std::vector<EditRegion> regions{EditRegion(face(), nullptr, {kWidth, kHeight})};
    const auto same = compare_pixels(plain.view(), plain.view(), regions);
    EXPECT_EQ(same.inside.psnr(), PixelErrors::kEqualPsnr);
    EXPECT_NEAR(same.inside.mean_ssim(), 1, 1e-12);
    const GrayPicture edited = shifted(plain, 5, [&](int x, int y) { return regions[0].edited(x, y); });
    const auto found = compare_pixels(edited.view(), plain.view(), regions);
    EXPECT_NEAR(found.inside.psnr(), 10 * std::log10(255.0 * 255 / 25), 1e-9);
    EXPECT_EQ(found.outside.psnr(), PixelErrors::kEqualPsnr);
    EXPECT_EQ(found.inside.samples + found.outside.samples, kWidth * kHeight);
    EXPECT_TRUE(std::isnan(compare_pixels(plain.view(), plain.view(), {}).inside.psnr()));
}

TEST(Sharpness, OfKnownPatternsAndFallsWithBlur) {
    GrayPicture board(40, 40);
    for (int y = 0; y < 40; ++y)
        for (int x = 0; x < 40; ++x) board.at(x, y) = (x + y) % 2 ? 110 : 100;
    EXPECT_NEAR(sharpness(board.view(), {10, 10, 30, 30}), 40.0 * 40, 1e-9);  // the Laplacian is 40 or -40
    EXPECT_EQ(sharpness(GrayPicture(40, 40, 9).view(), {0, 0, 40, 40}), 0);
    EXPECT_EQ(sharpness(board.view(), {100, 100, 120, 120}), 0) << "beyond the picture";
    double last = 1e9;
    for (const int reach : {0, 1, 2, 4}) {
        const double now = sharpness(blurred(scene(), reach).view(), mouth_box(face()));
        EXPECT_LT(now, last);
        last = now;
    }
}

TEST(Seam, AStepAtTheRimIsFoundAndAFadeIsNot) {
    const GrayPicture plain = scene();
    const EditRegion region(face(), nullptr, {kWidth, kHeight});
    const auto excess = [&](const GrayPicture& picture) {
        const auto found = seam(picture.view(), plain.view(), region);
        return found->rim - found->outside;
    };
    EXPECT_EQ(excess(plain), 0);
    double last = 0;
    for (const int step : {2, 5, 12}) {
        const double now = excess(shifted(plain, step, [&](int x, int y) { return region.edited(x, y); }));
        EXPECT_GT(now, last);
        last = now;
    }
    // The same change, but for the last few pixels over which it fades.
    GrayPicture faded = plain;
    for (int y = 0; y < kHeight; ++y)
        for (int x = 0; x < kWidth; ++x) {
            const double weight = std::clamp((EditRegion::kReach - region.distance(x, y)) / 8.0, 0.0, 1.0);
            faded.at(x, y) = static_cast<std::uint8_t>(std::lround(faded.at(x, y) + 12 * weight * weight));
        }
    EXPECT_LT(excess(faded), last / 10);
    // What encoders do everywhere is no seam.
    std::mt19937 random(3);
    GrayPicture noisy = plain;
    for (auto& pixel : noisy.pixels) pixel = static_cast<std::uint8_t>(pixel + static_cast<int>(random() % 5) - 2);
    EXPECT_LT(std::abs(excess(noisy)), 0.1);
    EXPECT_FALSE(
        seam(plain.view(), plain.view(), EditRegion(test::plain_face(-900, -900), nullptr, {kWidth, kHeight})));
}

TEST(MouthDistance, MovesOfOneMouthAndNotOfTheHead) {
    const FaceFrame closed = face();
    FaceFrame moved = test::plain_face(90, 100, 100);
    EXPECT_NEAR(mouth_distance(closed, moved), 0, 1e-3);
    double last = 0;
    for (const float share : {0.05F, 0.1F, 0.3F}) {
        FaceFrame open = moved;
        test::open_mouth(open, share);
        const double now = mouth_distance(closed, open);
        EXPECT_GT(now, last);
        last = now;
    }
}

TEST(Flicker, OfKnownCrops) {
    const Crop low{2, 1, {10, 10}}, high{2, 1, {12, 10}};
    EXPECT_EQ(flicker(low, low, low), 0);
    EXPECT_EQ(flicker(low, high, low), 8);  // (2 * 2)^2 / 2
    EXPECT_EQ(flicker(low, high, Crop{2, 1, {14, 10}}), 0) << "an even change is none";
}

TEST(Likeness, IsBlindToBrightnessAndSeesAnotherFace) {
    const GrayPicture one = scene(1), other = scene(2);
    const auto crop = [](const GrayPicture& picture) { return upper_face_crop(picture.view(), face().to_canonical); };
    GrayPicture darker = one;
    for (auto& pixel : darker.pixels) pixel = static_cast<std::uint8_t>(pixel / 2);
    EXPECT_NEAR(*likeness(crop(one), crop(one)), 1, 1e-9);
    EXPECT_GT(*likeness(crop(one), crop(darker)), 0.99);
    EXPECT_LT(*likeness(crop(one), crop(other)), 0.5);
    EXPECT_FALSE(likeness(crop(one), crop(GrayPicture(kWidth, kHeight, 7))));
}

TEST(ChangeMeter, TellsHowFarPicturesDiffer) {
    ChangeMeter meter;
    EXPECT_TRUE(std::isnan(meter.add(GrayPicture(8, 8, 10).view())));
    EXPECT_EQ(meter.add(GrayPicture(8, 8, 13).view()), 3);
    EXPECT_EQ(meter.add(GrayPicture(8, 8, 13).view()), 0);
    EXPECT_TRUE(std::isnan(meter.add(GrayPicture(6, 6, 13).view()))) << "another size";
}

/// Gaussian noise has MSCN coefficients that are nearly Gaussian: shape 2.
TEST(NaturalScene, NoiseHasTheShapeOfAGaussian) {
    GrayPicture noise(192, 192);
    std::mt19937 random(5);
    std::normal_distribution<double> normal(128, 30);
    for (auto& pixel : noise.pixels) pixel = static_cast<std::uint8_t>(std::clamp(normal(random), 0.0, 255.0));
    const auto patches = natural_patches(noise.view(), kNiqePatch);
    ASSERT_EQ(patches.size(), 4U);
    for (const NaturalPatch& patch : patches) {
        EXPECT_GT(patch.features[0], 1.9F);
        EXPECT_NEAR(patch.features[2], 1, 0.35) << "products of neighbours are peaked";
        EXPECT_NEAR(patch.features[3], -0.1, 0.05) << "each pixel is in the mean that is taken off its neighbour";
        EXPECT_NEAR(patch.features[3], patch.features[7], 0.03) << "across as down";
        EXPECT_NEAR(patch.sharpness, 30, 5);
    }
    EXPECT_TRUE(natural_patches(GrayPicture(95, 300, 3).view(), kNiqePatch).empty());
    EXPECT_TRUE(natural_patches(GrayPicture(96, 96, 3).view(), kNiqePatch).empty()) << "flat";
}

TEST(NaturalScene, NiqeGrowsWithBlurAndNoise) {
    GaussianSum pristine;
    for (unsigned seed = 10; seed < 30; ++seed)
        for (const NaturalPatch& patch : natural_patches(scene(seed).view(), 48)) pristine.add(patch.features);
    const Gaussian model = pristine.fit();
    const GrayPicture clean = scene(1);
    const auto score = [&](const GrayPicture& picture) { return niqe(natural_patches(picture.view(), 48), model); };
    double last = score(clean);
    for (const int reach : {1, 2}) {
        const double now = score(blurred(clean, reach));
        EXPECT_GT(now, last) << "blur " << reach;
        last = now;
    }
    last = score(clean);
    for (const double level : {5, 15, 40}) {
        GrayPicture noisy = clean;
        std::mt19937 random(7);
        std::normal_distribution<double> normal(0, level);
        for (auto& pixel : noisy.pixels)
            pixel = static_cast<std::uint8_t>(std::clamp(pixel + normal(random), 0.0, 255.0));
        const double now = score(noisy);
        EXPECT_GT(now, last) << "noise " << level;
        last = now;
    }
    EXPECT_TRUE(std::isnan(niqe({}, model)));
}

}  // namespace
}  // namespace omnisync::metrics
