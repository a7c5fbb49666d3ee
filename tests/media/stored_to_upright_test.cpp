// The map from stored to upright pixels says where ImageMaker really puts them.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "omnisync/picture.h"

namespace omnisync {
namespace {

constexpr int kWidth = 20;
constexpr int kHeight = 14;

Frame spot(int x, int y) {
    const auto owner = std::make_shared<std::vector<std::uint8_t>>(kWidth * kHeight);
    (*owner)[static_cast<std::size_t>(y * kWidth + x)] = 255;
    Frame frame;
    frame.width = kWidth;
    frame.height = kHeight;
    frame.format = {"gray", ColourModel::grey, 8, 0, 0, true, false};
    frame.planes[0] = {owner->data(), kWidth, kWidth, kHeight};
    frame.plane_count = 1;
    frame.owner = owner;
    return frame;
}

/// The centre of the light in a picture.
void find(const Image& image, double& x, double& y) {
    double sum = 0, sx = 0, sy = 0;
    for (int row = 0; row < image.height; ++row)
        for (int column = 0; column < image.width; ++column) {
            const double light = image.at(column, row)[0] > 20 ? image.at(column, row)[0] : 0;
            sum += light;
            sx += light * column;
            sy += light * row;
        }
    ASSERT_GT(sum, 0);
    x = sx / sum;
    y = sy / sum;
}

TEST(StoredToUpright, SaysWherePixelsAreSeen) {
    for (const int rotation : {0, 90, 180, 270})
        for (const bool mirrored : {false, true})
            for (const Rational aspect : {Rational{1, 1}, Rational{2, 1}, Rational{0, 1}}) {
                VideoInfo video;
                video.width = kWidth;
                video.height = kHeight;
                video.format = {"gray", ColourModel::grey, 8, 0, 0, true, false};
                video.colour.range = Colour::Range::full;
                video.rotation = rotation;
                video.mirrored = mirrored;
                video.sample_aspect = aspect;
                ImageMaker maker(video, display_size(video));
                const Affine map = stored_to_upright(video);
                for (const auto& [sx, sy] : {std::pair{4, 3}, {13, 9}}) {
                    double x = 0, y = 0;
                    find(maker.make(spot(sx, sy)), x, y);
                    EXPECT_NEAR(map.xx * sx + map.xy * sy + map.dx, x, 0.3) << rotation << mirrored << aspect.num;
                    EXPECT_NEAR(map.yx * sx + map.yy * sy + map.dy, y, 0.3) << rotation << mirrored << aspect.num;
                }
            }
}

}  // namespace
}  // namespace omnisync
