// Operations on pictures against the public program: spec sections 2.7, 9 (F11) and 10.
#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>

#include "engines/xdub/colour_match.h"
#include "engines/xdub/paste_back.h"
#include "engines/xdub/pillow_resize.h"
#include "engines/xdub/pixels.h"
#include "golden/pictures.h"
#include "golden/vectors.h"

namespace omnisync {
namespace {

using test::alike;
using test::picture;
using xdub::ToByte;

class ImageOps : public ::testing::Test {
protected:
    void SetUp() override { OMNISYNC_NEED_VECTORS(vectors_); }
    test::Vectors vectors_{"image_ops"};
};

TEST_F(ImageOps, PillowsResize) {
    for (const char* name : {"down", "down_big", "mixed", "offbyone", "one", "same_w", "tiny", "up"}) {
        const at::Tensor due = vectors_(std::string("resize.") + name + ".out");
        const xdub::Rgb8 made = xdub::pillow_resize(picture(vectors_(std::string("resize.") + name + ".in")),
                                                    static_cast<int>(due.size(1)), static_cast<int>(due.size(0)));
        EXPECT_TRUE(alike(made, due)) << name;
    }
}

TEST_F(ImageOps, CropsAreResized) {
    const xdub::Rgb8 frame = picture(vectors_("crop.frame"));
    const at::Tensor due = vectors_("crop.out");
    for (std::int64_t i = 0; i < due.size(0); ++i)
        EXPECT_TRUE(alike(xdub::crop_resized(frame, test::box(vectors_("crop.boxes_x1y1x2y2")[i]),
                                             static_cast<int>(due.size(2)), static_cast<int>(due.size(1))),
                          due[i]))
            << i;
}

/// One picture whose bytes are all levels in turn, through to_model(): the values of the 256 levels.
at::Tensor values_of_levels(at::ScalarType type, xdub::Scaling scaling) {
    xdub::Rgb8 levels(256, 1);
    for (std::size_t i = 0; i < levels.samples.size(); ++i) levels.samples[i] = static_cast<std::uint8_t>(i / 3);
    const at::Tensor values = xdub::to_model({{levels}}, type, scaling);
    EXPECT_TRUE(at::equal(values[0], values[1]) && at::equal(values[0], values[2]));
    return values[0].reshape({256});
}

TEST_F(ImageOps, LevelsToValues) {
    using xdub::Scaling;
    EXPECT_TRUE(at::equal(values_of_levels(at::kFloat, Scaling::scalar32), vectors_("pix.u8_to_fp32")));
    EXPECT_TRUE(at::equal(values_of_levels(at::kBFloat16, Scaling::scalar16), vectors_("pix.u8_to_bf16")));
    EXPECT_TRUE(at::equal(values_of_levels(at::kBFloat16, Scaling::scalar32), vectors_("pix.u8_to_bf16_scalar32")));
}

TEST_F(ImageOps, ValuesToLevels) {
    for (const char* type : {"fp32", "bf16"}) {
        const at::Tensor values =
            vectors_(std::string("pix.model_") + type).reshape({1, 1, 1, -1}).expand({3, 1, 1, -1});
        const at::Tensor due = vectors_(std::string("pix.u8_from_") + type);
        const auto made = xdub::to_bytes(values, ToByte::truncate);
        ASSERT_EQ(made.size(), 1U);
        EXPECT_TRUE(alike(made[0], due.reshape({1, -1, 1}).expand({1, -1, 3}), 0)) << type;
    }
}

TEST_F(ImageOps, ColoursAreMatched) {
    const at::Tensor due = vectors_("colour.out");
    for (std::int64_t i = 0; i < due.size(0); ++i) {
        xdub::Rgb8 made = picture(vectors_("colour.generated")[i]);
        EXPECT_EQ(xdub::match_colours(made, picture(vectors_("colour.source")[i]), ToByte::truncate),
                  vectors_("colour.masked_pixels")[i].item<std::int64_t>());
        const at::Tensor exact = vectors_("colour.float_before_clamp")[i].to(at::kDouble).clamp(0, 1) * 255;
        const at::Tensor clear = (exact - exact.round()).abs() > 1e-3;
        const at::Tensor off = (test::tensor_of(made).to(at::kInt) - due[i].to(at::kInt)).abs();
        EXPECT_LE(off.max().item<int>(), 1) << i;
        EXPECT_EQ((off * clear).max().item<int>(), 0) << i;
        RecordProperty("bytes_off_" + std::to_string(i), static_cast<int>((off > 0).sum().item<std::int64_t>()));
    }
}

at::Tensor shares_of(xdub::EdgeMask& mask) {
    return at::from_blob(mask.shares.data(), {mask.height, mask.width}, at::TensorOptions(at::kFloat)).clone();
}

TEST_F(ImageOps, EdgesAreFeathered) {
    for (const char* name : {"a", "b"}) {
        const std::string at = std::string("feather.") + name;
        xdub::Rgb8 made = picture(vectors_(at + ".generated"));
        xdub::EdgeMask mask = xdub::feather_mask(made.width, made.height);
        EXPECT_TRUE(test::near(shares_of(mask), vectors_(at + ".mask"), 1e-6)) << name;
        xdub::blend(made, picture(vectors_(at + ".source")), mask, ToByte::truncate);
        EXPECT_TRUE(alike(made, vectors_(at + ".out"), 0.01)) << name;
        const double share = test::differences(test::tensor_of(made), vectors_(at + ".out")).share;
        RecordProperty(std::string("share_off_") + name, std::to_string(share));
    }
}

TEST_F(ImageOps, PicturesArePastedBack) {
    const at::Tensor boxes = vectors_("paste.boxes_x1y1x2y2");
    const xdub::Rgb8 raw = picture(vectors_("paste.raw"));
    for (std::int64_t i = 0; i < boxes.size(0); ++i) {
        const std::string number = std::to_string(i);
        const xdub::Box box = test::box(boxes[i]);
        const xdub::Rgb8 made = picture(vectors_("paste.generated")[i]);
        EXPECT_TRUE(alike(xdub::resize_bilinear(made, box.width(), box.height()), vectors_("paste.resized" + number)))
            << i;
        xdub::EdgeMask mask = xdub::paste_mask(box, raw.width, raw.height);
        EXPECT_TRUE(test::near(shares_of(mask), vectors_("paste.mask" + number), 1e-6)) << i;
        xdub::Rgb8 frame = raw;
        xdub::paste_back(frame, made, box, ToByte::truncate);
        EXPECT_TRUE(alike(frame, vectors_("paste.out")[i], 0.01)) << i;
        const double share = test::differences(test::tensor_of(frame), vectors_("paste.out")[i]).share;
        RecordProperty("share_off_" + number, std::to_string(share));
    }
}

TEST_F(ImageOps, KernelsFitSmallPictures) {
    const at::Tensor rows = vectors_("kernel.requested_h_w_result");
    for (std::int64_t i = 0; i < rows.size(0); ++i)
        EXPECT_EQ(xdub::kernel_for(rows[i][0].item<int>(), rows[i][1].item<int>(), rows[i][2].item<int>()),
                  rows[i][3].item<int>())
            << rows[i];
}

}  // namespace
}  // namespace omnisync
