// From made-up measurements to a finished track: what is noise goes, what moves stays, garbage does no harm.
#include "tracking/finish_track.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <random>

#include "base/canonical_face.h"
#include "support/analysis.h"

namespace omnisync::test {
namespace {

using tracking::finish_track;
using tracking::RawFace;
using tracking::RawTrack;

constexpr Size kPicture{640, 360};
constexpr double kPi = 3.14159265358979;

/// Where the face really is in frame t: a Similarity of the plain face and how far the mouth is open (share of the
/// distance between the outer eye corners).
struct Truth {
    Similarity motion;
    float open = 0;
};
using Scene = std::function<Truth(int)>;

Landmarks face_at(const Truth& truth) {
    FaceFrame face = plain_face(320, 180, 150);
    open_mouth(face, truth.open);
    for (Point& point : face.landmarks) point = truth.motion(point);
    return face.landmarks;
}

/// What following would measure there: landmarks that tremble, flow that is nearly right.
RawTrack measured(const Scene& scene, int frames, float tremor = 0.8F, float flow_noise = 0.08F) {
    std::mt19937 random(3);
    std::normal_distribution<float> normal(0, 1);
    RawTrack track;
    for (int t = 0; t < frames; ++t) {
        RawFace& face = track.faces.emplace_back();
        face.source = RawFace::Source::followed;
        face.confidence = 1;
        face.fitted = face_at(scene(t));
        for (Point& point : face.fitted) point = {point.x + tremor * normal(random), point.y + tremor * normal(random)};
        face.flow_error.fill(-1);
        if (t == 0) continue;
        const Landmarks before = face_at(scene(t - 1));
        const Landmarks now = face_at(scene(t));
        const Landmarks& seen_before = track.faces[static_cast<std::size_t>(t) - 1].fitted;
        for (std::size_t i = 0; i < kLandmarks; ++i) {
            face.carried[i] = {seen_before[i].x + now[i].x - before[i].x + flow_noise * normal(random),
                               seen_before[i].y + now[i].y - before[i].y + flow_noise * normal(random)};
            face.flow_error[i] = std::abs(flow_noise * normal(random)) / 4;
        }
    }
    for (RawFace& face : track.faces) {
        face.look.light = 0.5F;
        face.look.sharpness = 0.5F;
        face.look.lower.fill(120);
    }
    return track;
}

double opening(const Landmarks& landmarks) {
    return landmarks[66].y - landmarks[62].y;
}

bool finite(const FaceTrack& track) {
    for (const FaceFrame& face : track.frames) {
        for (const Point& point : face.landmarks)
            if (!std::isfinite(point.x) || !std::isfinite(point.y)) return false;
        const Similarity& s = face.to_canonical;
        for (const double value : {s.a, s.b, s.dx, s.dy})
            if (!std::isfinite(value)) return false;
        for (const float value : {face.pose.yaw, face.pose.pitch, face.pose.roll, face.quality.size_px,
                                  face.quality.sharpness, face.quality.light, face.quality.covered, face.confidence})
            if (!std::isfinite(value)) return false;
    }
    return true;
}

/// Root mean square over frames and points of what `off` says of two frames' landmarks.
double rms(int frames, const std::function<double(int, std::size_t)>& off) {
    double sum = 0;
    for (int t = 0; t < frames; ++t)
        for (std::size_t i = 0; i < kLandmarks; ++i) sum += off(t, i) * off(t, i);
    return std::sqrt(sum / (frames * kLandmarks));
}

double distance(Point a, Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

TEST(FinishTrack, AStillHeadStandsStill) {
    const RawTrack raw = measured([](int) { return Truth{}; }, 80);
    const FaceTrack track = finish_track(raw, kPicture, 25);
    ASSERT_EQ(track.frames.size(), 80U);
    const double before = rms(79, [&](int t, std::size_t i) {
        return distance(raw.faces[static_cast<std::size_t>(t)].fitted[i],
                        raw.faces[static_cast<std::size_t>(t) + 1].fitted[i]);
    });
    const double after = rms(79, [&](int t, std::size_t i) {
        return distance(track.frames[static_cast<std::size_t>(t)].landmarks[i],
                        track.frames[static_cast<std::size_t>(t) + 1].landmarks[i]);
    });
    EXPECT_LT(after, before / 4);
    const Landmarks truth = face_at({});
    EXPECT_LT(rms(80,
                  [&](int t, std::size_t i) {
                      return distance(track.frames[static_cast<std::size_t>(t)].landmarks[i], truth[i]);
                  }),
              0.4);
}

TEST(FinishTrack, RealMotionIsKeptWithoutLag) {
    const Scene scene = [](int t) {
        const double angle = 0.15 * std::sin(2 * kPi * t / 50);
        const double scale = 1 + 0.2 * std::sin(2 * kPi * t / 70);
        Similarity turn{scale * std::cos(angle), scale * std::sin(angle), 0, 0};
        const Point centre = turn({320, 180});
        turn.dx = 320 - centre.x + 60 * std::sin(2 * kPi * t / 40);
        turn.dy = 180 - centre.y + 20 * std::cos(2 * kPi * t / 30);
        return Truth{turn, static_cast<float>(0.12 + 0.1 * std::sin(2 * kPi * t / 6))};
    };
    const FaceTrack track = finish_track(measured(scene, 120), kPicture, 25);
    const double off = rms(120, [&](int t, std::size_t i) {
        return distance(track.frames[static_cast<std::size_t>(t)].landmarks[i], face_at(scene(t))[i]);
    });
    EXPECT_LT(off, 0.8);  // of landmarks that tremble by 1.1 pixels
    double variance = 0;
    double real = 0;
    std::array<double, 5> product{};
    for (int t = 5; t < 115; ++t) {
        const double is = opening(track.frames[static_cast<std::size_t>(t)].landmarks);
        const double mean = opening(face_at({scene(t).motion, 0.12F}));
        variance += (is - mean) * (is - mean);
        real += std::pow(opening(face_at(scene(t))) - mean, 2);
        for (int lag = -2; lag <= 2; ++lag)
            product[static_cast<std::size_t>(lag + 2)] +=
                (is - mean) * (opening(face_at(scene(t - lag))) - opening(face_at({scene(t - lag).motion, 0.12F})));
    }
    EXPECT_GT(variance, 0.97 * real);
    EXPECT_EQ(std::max_element(product.begin(), product.end()) - product.begin(), 2);
}

TEST(FinishTrack, LandmarksThatJumpForAFrameAreTakenBack) {
    RawTrack raw = measured([](int) { return Truth{}; }, 60, 0.3F);
    for (Point& point : raw.faces[30].fitted) point.y += 12;
    // Flow of the next frame starts from where the jump led, and reports stillness.
    for (Point& point : raw.faces[31].carried) point.y += 12;
    const FaceTrack track = finish_track(raw, kPicture, 25);
    const Landmarks truth = face_at({});
    for (std::size_t i = 0; i < kLandmarks; ++i)
        EXPECT_NEAR(track.frames[30].landmarks[i].y, truth[i].y, 2.5) << "landmark " << i;
}

TEST(FinishTrack, BridgedFramesLieBetweenTheirNeighbours) {
    const Scene scene = [](int t) { return Truth{{1, 0, 3.0 * t, 0}, 0}; };
    RawTrack raw = measured(scene, 40, 0.2F);
    for (std::size_t t = 15; t < 22; ++t) {
        raw.faces[t] = {};
        raw.faces[t].box = {1, 2, 3, 4};
    }
    raw.faces[22].flow_error.fill(-1);
    const FaceTrack track = finish_track(raw, kPicture, 25);
    for (int t = 15; t < 22; ++t) {
        EXPECT_EQ(track.frames[static_cast<std::size_t>(t)].obstacle, Obstacle::not_seen);
        EXPECT_NEAR(track.frames[static_cast<std::size_t>(t)].landmarks[30].x, face_at(scene(t))[30].x, 2);
    }
    EXPECT_EQ(track.frames[14].obstacle, Obstacle::none);
    EXPECT_EQ(track.frames[22].obstacle, Obstacle::none);
}

TEST(FinishTrack, KeepsWhatTheRawTrackKnows) {
    RawTrack raw = measured([](int) { return Truth{}; }, 3);
    raw.person = 4;
    raw.shot = 2;
    raw.first_frame = 77;
    const FaceTrack track = finish_track(raw, kPicture, 25);
    EXPECT_EQ(track.id, 0);
    EXPECT_EQ(track.person, 4);
    EXPECT_EQ(track.shot, 2);
    EXPECT_EQ(track.first_frame, 77);
    EXPECT_NEAR(track.frames[1].quality.size_px, 160 / track.frames[1].to_canonical.scale(), 0.01);
    EXPECT_TRUE(finish_track(RawTrack{}, kPicture, 25).frames.empty());
}

TEST(FinishTrack, GarbageGivesNumbers) {
    const float nan = std::nanf("");
    const float infinite = std::numeric_limits<float>::infinity();
    const std::vector<std::function<void(RawTrack&)>> harms{
        [](RawTrack& raw) { raw.faces.resize(1); },
        [](RawTrack& raw) { raw.faces.assign(5, RawFace{}); },
        [](RawTrack& raw) { raw.faces.assign(1, RawFace{}); },
        [](RawTrack& raw) {
            for (RawFace& face : raw.faces) face.fitted.fill({7, 7});
        },
        [nan](RawTrack& raw) {
            for (std::size_t t = 0; t < raw.faces.size(); t += 3) raw.faces[t].fitted[t % kLandmarks].x = nan;
        },
        [infinite](RawTrack& raw) {
            for (RawFace& face : raw.faces) face.carried.fill({infinite, -infinite});
        },
        [nan](RawTrack& raw) {
            for (RawFace& face : raw.faces) {
                face.flow_error.fill(nan);
                face.confidence = nan;
                face.look.sharpness = nan;
                face.look.light = nan;
            }
        },
        [](RawTrack& raw) {
            for (std::size_t t = 0; t < raw.faces.size(); ++t)
                for (Point& point : raw.faces[t].fitted)
                    point = {point.x * 1e5F, point.y * (t % 2 == 0 ? 1e5F : -1e5F)};
        },
        [](RawTrack& raw) {
            std::mt19937 random(9);
            std::uniform_real_distribution<float> any(-1e4F, 1e4F);
            for (RawFace& face : raw.faces) {
                for (Point& point : face.fitted) point = {any(random), any(random)};
                for (Point& point : face.carried) point = {any(random), any(random)};
            }
        }};
    for (std::size_t k = 0; k < harms.size(); ++k) {
        RawTrack raw = measured([](int) { return Truth{}; }, 30);
        harms[k](raw);
        for (const double fps : {1000.0, 25.0, 0.1}) {
            const FaceTrack track = finish_track(raw, kPicture, fps);
            EXPECT_EQ(track.frames.size(), raw.faces.size());
            EXPECT_TRUE(finite(track)) << "harm " << k << " at " << fps;
        }
        EXPECT_TRUE(finite(finish_track(raw, {1, 1}, 25)));
    }
}

TEST(FinishTrack, TheSameMeasurementsGiveTheSameTrack) {
    const RawTrack raw = measured([](int) { return Truth{}; }, 50);
    const FaceTrack one = finish_track(raw, kPicture, 25);
    const FaceTrack two = finish_track(raw, kPicture, 25);
    for (std::size_t t = 0; t < 50; ++t) {
        EXPECT_EQ(one.frames[t].landmarks, two.frames[t].landmarks);
        EXPECT_EQ(one.frames[t].to_canonical, two.frames[t].to_canonical);
    }
}

Obstacle most(const FaceTrack& track) {
    return track.frames[track.frames.size() / 2].obstacle;
}

TEST(FinishTrack, SaysWhatIsInTheWay) {
    const auto placed = [](double scale, double dx, double dy) {
        return [=](int) { return Truth{{scale, 0, dx, dy}, 0}; };
    };
    EXPECT_EQ(most(finish_track(measured(placed(1, 0, 0), 30), kPicture, 25)), Obstacle::none);
    EXPECT_EQ(most(finish_track(measured(placed(1, 0, 130), 30), kPicture, 25)), Obstacle::cut_off);
    EXPECT_EQ(most(finish_track(measured(placed(0.12, 0, 0), 30, 0.05F, 0.02F), kPicture, 25)), Obstacle::too_small);
    RawTrack dark = measured(placed(1, 0, 0), 30);
    for (RawFace& face : dark.faces) face.look.light = 0.01F;
    EXPECT_EQ(most(finish_track(dark, kPicture, 25)), Obstacle::too_dark);
    RawTrack blurred = measured(placed(0.5, 0, 0), 30, 0.4F);
    for (RawFace& face : blurred.faces) face.look.sharpness = 0.01F;
    EXPECT_EQ(most(finish_track(blurred, kPicture, 25)), Obstacle::too_blurred);
}

TEST(FinishTrack, ObstaclesDoNotFlicker) {
    RawTrack raw = measured([](int) { return Truth{}; }, 100);
    std::mt19937 random(5);
    std::uniform_real_distribution<float> light(0.03F, 0.09F);  // around the limit
    for (RawFace& face : raw.faces) face.look.light = light(random);
    const FaceTrack track = finish_track(raw, kPicture, 25);
    const std::vector<FaceSpan> spans = spans_of(track);
    for (std::size_t k = 1; k + 1 < spans.size(); ++k) EXPECT_GE(spans[k].end - spans[k].first, 5) << k;
}

}  // namespace
}  // namespace omnisync::test
