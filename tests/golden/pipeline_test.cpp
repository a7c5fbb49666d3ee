// Two clips from raw to pasted frames against the public program, each stage from the stored result of the stage
// before.
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include "engines/xdub/clip_plan.h"
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

constexpr double kBytesOff = 0.001;  // "allow 1 in 0.1 % of the values"
constexpr xdub::ClipShape kShape{13, 5};

class Pipeline : public ::testing::Test {
protected:
    void SetUp() override { OMNISYNC_NEED_VECTORS(vectors_); }

    /// Which of the stored frames stands at a place of the film.
    std::int64_t shown(std::int64_t place) const { return xdub::ping_pong(place, vectors_("in.raw_frames").size(0)); }

    test::Vectors vectors_{"pipeline_tiny"};
};

TEST_F(Pipeline, Plan) {
    const auto plan = xdub::plan_clips(xdub::audio_frames(9600), kShape);
    EXPECT_EQ(plan.wanted, 15);
    EXPECT_EQ(plan.clips, 2);
    EXPECT_EQ(plan.total, 21);
    EXPECT_EQ(plan.start(1), 8);
    EXPECT_EQ(plan.latents(), 6);
    const at::Tensor places = vectors_("in.pingpong");
    ASSERT_EQ(places.numel(), plan.total);
    for (std::int64_t k = 0; k < plan.total; ++k) EXPECT_EQ(shown(k), places[k].item<std::int64_t>()) << k;
}

TEST_F(Pipeline, Crops) {
    const at::Tensor due = vectors_("in.source_crops");
    for (std::int64_t i = 0; i < due.size(0); ++i)
        EXPECT_TRUE(
            alike(xdub::crop_resized(picture(vectors_("in.raw_frames")[i]), test::box(vectors_("in.boxes_x1y1x2y2")[i]),
                                     static_cast<int>(due.size(2)), static_cast<int>(due.size(1))),
                  due[i]))
            << i;
}

/// `made` frames from film place `first` on, colours matched, against `due`.
void check_colours(const test::Vectors& vectors, const at::Tensor& made, const at::Tensor& due, std::int64_t first) {
    const std::int64_t frames = vectors("in.source_crops").size(0);
    at::Tensor all = at::empty(due.sizes(), due.options());
    for (std::int64_t i = 0; i < due.size(0); ++i) {
        xdub::Rgb8 frame = picture(made[i]);
        xdub::match_colours(frame, picture(vectors("in.source_crops")[xdub::ping_pong(first + i, frames)]),
                            ToByte::truncate);
        all[i].copy_(test::tensor_of(frame));
    }
    EXPECT_TRUE(alike(all, due, kBytesOff));
    ::testing::Test::RecordProperty("share_off", std::to_string(test::differences(all, due).share));
}

TEST_F(Pipeline, MotionFramesOfAClipHaveTheSourcesColours) {
    for (const std::int64_t clip : {0, 1}) {
        const std::string at = "history.clip" + std::to_string(clip);
        const std::int64_t first = kShape.frames - kShape.motion;
        check_colours(vectors_, vectors_(at + ".decoded_u8").narrow(0, first, kShape.motion),
                      vectors_(at + ".corrected_u8_last5"), clip * kShape.stride() + first);
    }
    for (const char* variant : {"history", "released"}) {
        const std::string at = variant;
        const at::Tensor decoded = at == "history" ? vectors_("history.clip0.decoded_u8").narrow(0, 8, 5)
                                                   : vectors_("released.clip0.decoded_u8_last5");
        check_colours(vectors_, decoded, vectors_(at + ".clip1.motion_frames"), kShape.frames - kShape.motion);
    }
}

TEST_F(Pipeline, FilmHasTheSourcesColours) {
    check_colours(vectors_, vectors_("history.final_decoded_u8"), vectors_("history.final_corrected_u8"), 0);
}

TEST_F(Pipeline, LatentsAreJoined) {
    for (const std::string variant : {"history", "released"}) {
        const at::Tensor made =
            xdub::join_latents({vectors_(variant + ".clip0.latents"), vectors_(variant + ".clip1.latents")}, kShape);
        EXPECT_TRUE(test::near(made, vectors_(variant + ".joined_latents"), 1e-7)) << variant;
    }
}

TEST_F(Pipeline, ValuesBecomeBytes) {
    const at::Tensor values = vectors_("history.final_decoded_float_frames");
    const auto made = xdub::to_bytes(values, ToByte::truncate);
    const at::Tensor places = vectors_("final_frame_index");
    ASSERT_EQ(static_cast<std::int64_t>(made.size()), places.numel());
    for (std::size_t i = 0; i < made.size(); ++i)
        EXPECT_TRUE(alike(
            made[i], vectors_("history.final_decoded_u8")[places[static_cast<std::int64_t>(i)].item<std::int64_t>()]))
            << i;
}

TEST_F(Pipeline, EdgesAreFeathered) {
    const at::Tensor due = vectors_("history.final_feathered_u8");
    at::Tensor all = at::empty(due.sizes(), due.options());
    const auto mask = xdub::feather_mask(static_cast<int>(due.size(2)), static_cast<int>(due.size(1)));
    for (std::int64_t i = 0; i < due.size(0); ++i) {
        xdub::Rgb8 frame = picture(vectors_("history.final_corrected_u8")[i]);
        xdub::blend(frame, picture(vectors_("in.source_crops")[shown(i)]), mask, ToByte::truncate);
        all[i].copy_(test::tensor_of(frame));
    }
    EXPECT_TRUE(alike(all, due, kBytesOff));
    RecordProperty("share_off", std::to_string(test::differences(all, due).share));
}

TEST_F(Pipeline, FramesArePastedBack) {
    const at::Tensor due = vectors_("history.final_pasted_u8");
    at::Tensor all = at::empty(due.sizes(), due.options());
    for (std::int64_t i = 0; i < due.size(0); ++i) {
        xdub::Rgb8 frame = picture(vectors_("in.raw_frames")[shown(i)]);
        xdub::paste_back(frame, picture(vectors_("history.final_feathered_u8")[i]),
                         test::box(vectors_("in.boxes_x1y1x2y2")[shown(i)]), ToByte::truncate);
        all[i].copy_(test::tensor_of(frame));
    }
    EXPECT_TRUE(alike(all, due, kBytesOff));
    RecordProperty("share_off", std::to_string(test::differences(all, due).share));
}

/// From decoded to pasted bytes in one go, for both variants of the encoder.
TEST_F(Pipeline, FromDecodedToPasted) {
    const at::Tensor places = vectors_("final_frame_index");
    const auto mask = xdub::feather_mask(96, 64);
    for (const std::string variant : {"history", "released"}) {
        for (std::int64_t i = 0; i < places.numel(); ++i) {
            const std::int64_t place = places[i].item<std::int64_t>();
            const bool history = variant == "history";
            xdub::Rgb8 made = picture(history ? vectors_("history.final_decoded_u8")[place]
                                              : vectors_("released.final_decoded_u8_frames")[i]);
            const xdub::Rgb8 crop = picture(vectors_("in.source_crops")[shown(place)]);
            xdub::match_colours(made, crop, ToByte::truncate);
            xdub::blend(made, crop, mask, ToByte::truncate);
            xdub::Rgb8 frame = picture(vectors_("in.raw_frames")[shown(place)]);
            xdub::paste_back(frame, made, test::box(vectors_("in.boxes_x1y1x2y2")[shown(place)]), ToByte::truncate);
            EXPECT_TRUE(alike(
                frame,
                history ? vectors_("history.final_pasted_u8")[place] : vectors_("released.final_pasted_u8_frames")[i],
                kBytesOff))
                << variant << " " << place;
        }
    }
}

}  // namespace
}  // namespace omnisync
