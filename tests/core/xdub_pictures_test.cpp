// The X-Dub engine's boxes, pictures and clips beyond what the golden vectors show: other frame rates, our own
// defaults, wrong input.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engines/xdub/clip_plan.h"
#include "engines/xdub/colour_match.h"
#include "engines/xdub/face_boxes.h"
#include "engines/xdub/paste_back.h"
#include "engines/xdub/pillow_resize.h"
#include "engines/xdub/pixels.h"
#include "engines/xdub/smoothing.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr FrameSize kFrame{1280, 720};

/// Bytes without a pattern, the same each time.
Rgb8 noisy(int width, int height, std::uint32_t state) {
    Rgb8 picture(width, height);
    for (std::uint8_t& sample : picture.samples) {
        state = state * 1664525U + 1013904223U;
        sample = static_cast<std::uint8_t>(state >> 24);
    }
    return picture;
}

template <class Action>
ExitCode code_of(Action action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::done;
}

/// A ring of landmarks that sways through the frame for two seconds, as seen at `fps`.
std::vector<Landmarks> swaying(double fps) {
    std::vector<Landmarks> track;
    for (int i = 0; i < static_cast<int>(2 * fps); ++i) {
        const double x = 0.5 + 0.2 * std::sin(2 * i / fps);
        Landmarks face;
        for (std::size_t point = 0; point < kLandmarks; ++point) {
            const double angle = 2 * M_PI * static_cast<double>(point) / kLandmarks;
            face[2 * point] = static_cast<float>(x + 0.07 * std::cos(angle));
            face[2 * point + 1] = static_cast<float>(0.5 + 0.15 * std::sin(angle));
        }
        track.push_back(face);
    }
    return track;
}

FaceBoxes boxes_at(double fps) {
    const auto track = swaying(fps);
    Scores sure;
    sure.fill(0.9F);
    return find_boxes(track, std::vector<Scores>(track.size(), sure), kFrame, fps);
}

TEST(XdubBoxes, WindowsKeepTheirDuration) {
    for (const int window : {3, 5, 7, 11, 15, 17, 25}) EXPECT_EQ(window_at(window, 25), window);
    EXPECT_EQ(window_at(25, 50), 49);
    EXPECT_EQ(window_at(25, 12.5), 13);
    EXPECT_EQ(window_at(3, 10), 1);
}

TEST(XdubBoxes, AFaceGetsTheSameBoxesAtAnyFrameRate) {
    const FaceBoxes slow = boxes_at(25);
    const FaceBoxes fast = boxes_at(50);
    EXPECT_EQ(slow.motion, FaceMotion::moving);
    EXPECT_EQ(fast.motion, slow.motion);
    ASSERT_EQ(fast.boxes.size(), 2 * slow.boxes.size());
    // At the ends of the shot windows are cut short, and the two do not end at the same time.
    // The face moves by up to 20 pixels a frame, which the filter (F2) follows a little later in smaller steps.
    for (std::size_t i = 12; i + 12 < slow.boxes.size(); ++i) {
        EXPECT_NEAR(fast.boxes[2 * i].x1, slow.boxes[i].x1, 5) << i;
        EXPECT_NEAR(fast.boxes[2 * i].y1, slow.boxes[i].y1, 1) << i;
        EXPECT_NEAR(fast.boxes[2 * i].width(), slow.boxes[i].width(), 3) << i;
    }
}

TEST(XdubBoxes, WhatIsNoTrackIsRefused) {
    const auto track = swaying(25);
    const std::vector<Scores> scores(track.size());
    EXPECT_EQ(code_of([] { (void)find_boxes({}, {}, kFrame, 25); }), ExitCode::bad_data);
    EXPECT_EQ(code_of([&] { (void)find_boxes(track, std::span(scores).first(3), kFrame, 25); }), ExitCode::bad_data);
    EXPECT_EQ(code_of([&] { (void)find_boxes(track, scores, kFrame, 0); }), ExitCode::bad_data);
    auto broken = track;
    broken[7][3] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_EQ(code_of([&] { (void)find_boxes(broken, scores, kFrame, 25); }), ExitCode::bad_data);
}

TEST(XdubPictures, OnlyTheBoxMatters) {
    const Rgb8 frame = noisy(70, 50, 1);
    const Box box{13, 9, 51, 44};
    Rgb8 part(box.width(), box.height());
    for (int y = 0; y < part.height; ++y)
        std::copy_n(frame.row(box.y1 + y) + 3 * box.x1, part.row_samples(), part.row(y));
    EXPECT_EQ(crop_resized(frame, box, 32, 64), pillow_resize(part, 32, 64));
    EXPECT_EQ(pillow_resize(part, part.width, part.height), part);
}

TEST(XdubPictures, BytesSurviveTheWayThroughValues) {
    const std::vector<Rgb8> frames{noisy(40, 30, 2), noisy(40, 30, 3)};
    for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) {
        const at::Tensor values = to_model(frames, type);
        EXPECT_EQ(values.sizes(), at::IntArrayRef({3, 2, 30, 40}));
        EXPECT_EQ(values.scalar_type(), type);
        EXPECT_EQ(to_bytes(values, ToByte::nearest), frames) << c10::toString(type);
    }
    EXPECT_EQ(from_colours(to_colours(frames[0])), frames[0]);
}

TEST(XdubPictures, EqualPicturesBlendToThemselves) {
    const Rgb8 picture = noisy(90, 70, 4);
    Rgb8 blended = picture;
    blend(blended, picture, feather_mask(90, 70), ToByte::nearest);
    EXPECT_EQ(blended, picture);
    Rgb8 frame = noisy(200, 100, 5);
    const Rgb8 before = frame;
    Rgb8 part(80, 100);
    for (int y = 0; y < 100; ++y) std::copy_n(frame.row(y) + 3 * 60, part.row_samples(), part.row(y));
    paste_back(frame, part, {60, 0, 140, 100}, ToByte::nearest);
    EXPECT_EQ(frame, before);
}

TEST(XdubPictures, BoxesOutsideAreRefused) {
    Rgb8 frame = noisy(20, 20, 6);
    for (const Box box : {Box{-1, 0, 5, 5}, Box{0, 0, 21, 5}, Box{5, 5, 5, 9}}) {
        EXPECT_EQ(code_of([&] { paste_back(frame, noisy(8, 8, 7), box, ToByte::nearest); }), ExitCode::internal);
        EXPECT_EQ(code_of([&] { (void)crop_resized(frame, box, 8, 8); }), ExitCode::internal);
    }
}

TEST(XdubPictures, ColoursOfOnePixelAreNoMeasure) {
    Rgb8 source(16, 16);
    std::ranges::fill(source.samples, std::uint8_t{40});
    Rgb8 made(16, 16);
    std::ranges::fill(made.samples, std::uint8_t{200});
    for (const int alike : {0, 1}) {
        std::fill_n(made.samples.begin(), 3 * alike, std::uint8_t{42});
        const Rgb8 before = made;
        EXPECT_EQ(match_colours(made, source, ToByte::nearest), alike);
        EXPECT_EQ(made, before);
    }
}

TEST(XdubPictures, ValuesThatAreNoNumbersAreSeen) {
    at::Tensor values = at::rand({3, 2, 4, 4});
    EXPECT_TRUE(all_finite(values));
    require_finite(values, "the decoder");
    values[1][0][2][3] = std::numeric_limits<float>::infinity();
    EXPECT_FALSE(all_finite(values));
    EXPECT_FALSE(all_finite(values.to(at::kBFloat16)));
    EXPECT_EQ(code_of([&] { require_finite(values, "the decoder"); }), ExitCode::bad_data);
}

TEST(XdubClips, CoverEveryPictureAndNoneIsMadeForNothing) {
    for (std::int64_t wanted = 1; wanted <= 400; ++wanted) {
        const ClipPlan plan = plan_clips(wanted);
        EXPECT_EQ(plan.total, plan.start(plan.clips - 1) + plan.shape.frames) << wanted;
        EXPECT_GE(plan.total, wanted);
        EXPECT_EQ(4 * plan.latents() - 3, plan.total) << wanted;
        // The last clip brings at least one picture that the one before has not.
        if (plan.clips > 1) EXPECT_LT(plan.start(plan.clips - 2) + plan.shape.frames, wanted);
        for (std::int64_t k = 0; k < wanted; ++k) ASSERT_EQ(ping_pong(k, wanted), k);
        for (std::int64_t k = wanted; k < plan.total; ++k) {
            EXPECT_LE(std::abs(ping_pong(k, wanted) - ping_pong(k - 1, wanted)), 1);
            EXPECT_LT(ping_pong(k, wanted), wanted);
        }
    }
    EXPECT_EQ(code_of([] { (void)plan_clips(0); }), ExitCode::internal);
    EXPECT_EQ(code_of([] { (void)plan_clips(9, {12, 5}); }), ExitCode::internal);
}

TEST(XdubClips, JoinOneByOneAsAllAtOnce) {
    const ClipShape shape{17, 5};
    std::vector<at::Tensor> clips;
    LatentJoiner joiner(shape);
    std::vector<at::Tensor> parts;
    for (int i = 0; i < 3; ++i) {
        clips.push_back(at::ones({2, 5, 1, 1}) * i);
        parts.push_back(joiner.add(clips.back()));
    }
    parts.push_back(joiner.finish());
    const at::Tensor joined = join_latents(clips, shape);
    EXPECT_TRUE(at::equal(at::cat(parts, 1), joined));
    const std::vector<float> due{0, 0, 0, 0, 0.5, 1, 1, 1.5, 2, 2, 2};
    ASSERT_EQ(joined.size(1), static_cast<std::int64_t>(due.size()));
    for (std::size_t i = 0; i < due.size(); ++i)
        EXPECT_EQ(joined[0][static_cast<std::int64_t>(i)].item<float>(), due[i]) << i;
    EXPECT_EQ(code_of([&] { (void)joiner.finish(); }), ExitCode::internal);
    EXPECT_EQ(code_of([&] { (void)joiner.add(clips[0].narrow(1, 0, 4)); }), ExitCode::internal);
}

}  // namespace
}  // namespace omnisync::xdub
