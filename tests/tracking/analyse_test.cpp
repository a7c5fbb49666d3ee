// The first pass as a whole: on films made in memory, and on the shared clips.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <random>

#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "omnisync/media.h"
#include "support/film.h"
#include "support/paths.h"
#include "tracking/first_pass.h"
#include "tracking/geometry.h"
#include "tracking/model_files.h"

namespace omnisync::test {
namespace {

using tracking::Equipment;

/// Loaded once for all tests; no networks, whatever this machine has.
const Equipment* equipment() {
    static const std::optional<Equipment> loaded = [] {
        std::optional<Equipment> result;
        if (!tracking::find_model("", tracking::kLandmarkModel)) return result;
        result.emplace("");
        result->detector_network.reset();
        result->identity_network.reset();
        return result;
    }();
    return loaded ? &*loaded : nullptr;
}

#define NEEDS_THE_MODEL() \
    if (equipment() == nullptr) GTEST_SKIP() << "libdlib-data is not installed"

AnalysisJob job_of_file(const std::string& path) {
    AnalysisJob job;
    job.open_video = [path] { return open_video(path); };
    const auto maker = std::make_shared<GrayMaker>(open_video(path)->info());
    job.luma = [maker](const Frame& frame) { return maker->make(frame); };
    return job;
}

/// Every number of every track is one, and every frame of a track lies in the video.
void expect_sound(const Analysis& analysis) {
    for (const FaceTrack& track : analysis.tracks) {
        EXPECT_GE(track.first_frame, 0);
        EXPECT_LE(track.end_frame(), analysis.frames());
        EXPECT_FALSE(track.frames.empty());
        EXPECT_GT(track.person, 0);
        for (const FaceFrame& face : track.frames) {
            for (const Point& point : face.landmarks) ASSERT_TRUE(std::isfinite(point.x) && std::isfinite(point.y));
            const Similarity& to = face.to_canonical;
            ASSERT_TRUE(std::isfinite(to.a) && std::isfinite(to.b) && std::isfinite(to.dx) && std::isfinite(to.dy));
            ASSERT_TRUE(face.confidence >= 0 && face.confidence <= 1);
            ASSERT_TRUE(std::isfinite(face.pose.yaw) && std::isfinite(face.pose.pitch) &&
                        std::isfinite(face.pose.roll));
            ASSERT_TRUE(std::isfinite(face.quality.size_px) && std::isfinite(face.quality.sharpness));
        }
    }
}

/// The face of the example: 160x160.
const GrayPicture& example_face() {
    static const GrayPicture face = [] {
        const auto video = open_video((source_root() / "examples/speaker.mp4").string());
        GrayMaker maker(video->info());
        const auto frame = video->next();
        const GrayView luma = maker.make(*frame);
        GrayPicture picture(luma.width, luma.height);
        for (int y = 0; y < luma.height; ++y)
            for (int x = 0; x < luma.width; ++x) picture.at(x, y) = luma.data[y * luma.stride + x];
        return picture;
    }();
    return face;
}

/// Puts the face with its upper left corner at (left, top), `size` pixels wide, by nearest neighbours.
void put_face(GrayPicture& picture, double left, double top, double size) {
    const GrayPicture& face = example_face();
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x) {
            const double u = (x - left) / size * face.width;
            const double v = (y - top) / size * face.height;
            if (u < 0 || v < 0 || u > face.width - 1 || v > face.height - 1) continue;
            const int iu = std::min(static_cast<int>(u), face.width - 2);
            const int iv = std::min(static_cast<int>(v), face.height - 2);
            const auto at = [&](int i, int k) {
                return double(face.pixels[static_cast<std::size_t>(k) * static_cast<std::size_t>(face.width) +
                                          static_cast<std::size_t>(i)]);
            };
            const double value = (1 - (v - iv)) * ((1 - (u - iu)) * at(iu, iv) + (u - iu) * at(iu + 1, iv)) +
                                 (v - iv) * ((1 - (u - iu)) * at(iu, iv + 1) + (u - iu) * at(iu + 1, iv + 1));
            picture.at(x, y) = static_cast<std::uint8_t>(std::lround(value));
        }
}

GrayPicture noise(int width, int height, unsigned seed) {
    GrayPicture picture(width, height);
    std::mt19937 random(seed);
    for (auto& pixel : picture.pixels) pixel = static_cast<std::uint8_t>(random());
    return picture;
}

TEST(Analyse, NothingIsFoundWhereNothingIs) {
    NEEDS_THE_MODEL();
    const auto black = tracking::first_pass(job_of([](auto) { return GrayPicture(320, 240); }, 60), *equipment());
    EXPECT_EQ(black.frames(), 60);
    EXPECT_TRUE(black.tracks.empty());
    EXPECT_EQ(black.picture, (Size{320, 240}));
    const auto garbage = tracking::first_pass(
        job_of([](auto frame) { return noise(200, 150, static_cast<unsigned>(frame)); }, 40), *equipment());
    expect_sound(garbage);
    const auto tiny = tracking::first_pass(job_of([](auto) { return noise(16, 16, 1); }, 30), *equipment());
    EXPECT_TRUE(tiny.tracks.empty());
    for (const auto& [width, height] : {std::pair{1, 1}, {1, 200}, {300, 2}, {15, 17}}) {
        const auto odd =
            tracking::first_pass(job_of([w = width, h = height](auto) { return noise(w, h, 2); }, 12), *equipment());
        EXPECT_TRUE(odd.tracks.empty()) << width << "x" << height;
    }
}

TEST(Analyse, FilmsOfAFewFramesAreTaken) {
    NEEDS_THE_MODEL();
    for (const std::int64_t frames : {0, 1, 2, 8, 9, 10}) {
        const auto analysis = tracking::first_pass(job_of(
                                                       [](auto) {
                                                           GrayPicture picture(240, 200, 90);
                                                           put_face(picture, 40, 20, 160);
                                                           return picture;
                                                       },
                                                       frames),
                                                   *equipment());
        EXPECT_EQ(analysis.frames(), frames);
        EXPECT_EQ(analysis.tracks.size(), frames > 0 ? 1U : 0U);
        for (const FaceTrack& track : analysis.tracks) EXPECT_EQ(track.end_frame() - track.first_frame, frames);
    }
}

TEST(Analyse, AFaceMovesAndKeepsItsTrack) {
    NEEDS_THE_MODEL();
    const auto where = [](std::int64_t frame) {
        return Point{static_cast<float>(60 + 2.5 * static_cast<double>(frame)),
                     static_cast<float>(60 + 20 * std::sin(static_cast<double>(frame) / 7))};
    };
    const auto analysis = tracking::first_pass(job_of(
                                                   [&](std::int64_t frame) {
                                                       GrayPicture picture = noise(480, 300, 7);
                                                       for (auto& pixel : picture.pixels) pixel = 60 + pixel / 8;
                                                       put_face(picture, where(frame).x, where(frame).y, 160);
                                                       return picture;
                                                   },
                                                   90),
                                               *equipment());
    ASSERT_EQ(analysis.tracks.size(), 1U);
    const FaceTrack& track = analysis.tracks[0];
    EXPECT_EQ(track.first_frame, 0);
    EXPECT_EQ(track.end_frame(), 90);
    double square = 0;
    for (std::int64_t frame = 5; frame < 85; ++frame) {
        const Point moved{track.at(frame)->landmarks[30].x - track.at(5)->landmarks[30].x,
                          track.at(frame)->landmarks[30].y - track.at(5)->landmarks[30].y};
        const Point truth{where(frame).x - where(5).x, where(frame).y - where(5).y};
        square += std::pow(tracking::distance(moved, truth), 2) / 80;
    }
    EXPECT_LT(std::sqrt(square), 1.5) << "pixels, root mean square";
    expect_sound(analysis);
}

TEST(Analyse, ThirtyFacesAreThirtyTracks) {
    NEEDS_THE_MODEL();
    const auto analysis = tracking::first_pass(job_of(
                                                   [](std::int64_t) {
                                                       GrayPicture picture(6 * 120 + 40, 5 * 120 + 40, 100);
                                                       for (int i = 0; i < 30; ++i)
                                                           put_face(picture, 20 + i % 6 * 120, 20 + i / 6 * 120, 118);
                                                       return picture;
                                                   },
                                                   12),
                                               *equipment());
    EXPECT_EQ(analysis.tracks.size(), 30U);
    for (const FaceTrack& track : analysis.tracks) EXPECT_EQ(track.frames.size(), 12U);
    expect_sound(analysis);
}

TEST(Analyse, AFaceLeavesThroughTheBorder) {
    NEEDS_THE_MODEL();
    const auto analysis =
        tracking::first_pass(job_of(
                                 [](std::int64_t frame) {
                                     GrayPicture picture(320, 220, 80);
                                     put_face(picture, 100 + 5.0 * static_cast<double>(frame), 30, 160);
                                     return picture;
                                 },
                                 70),
                             *equipment());
    ASSERT_GE(analysis.tracks.size(), 1U);
    EXPECT_EQ(analysis.tracks[0].first_frame, 0);
    EXPECT_GT(analysis.tracks[0].end_frame(), 15);
    EXPECT_LT(analysis.tracks.back().end_frame(), 60) << "gone since frame 44, and half a second to bridge";
    expect_sound(analysis);
}

TEST(Analyse, ACoveredFaceIsBridgedAndALongGapEndsTheTrack) {
    NEEDS_THE_MODEL();
    const auto film = [](std::int64_t from, std::int64_t to) {
        return [from, to](std::int64_t frame) {
            GrayPicture picture(640, 360);
            for (int y = 0; y < picture.height; ++y)  // large enough, and full enough, that no cut is seen
                for (int x = 0; x < picture.width; ++x)
                    picture.at(x, y) = static_cast<std::uint8_t>(x / 80 * 97 + y / 60 * 61);
            if (frame < from || frame >= to) put_face(picture, 80, 40, 160);
            return picture;
        };
    };
    const auto bridged = tracking::first_pass(job_of(film(20, 30), 60), *equipment());
    EXPECT_TRUE(bridged.cuts.empty());
    ASSERT_EQ(bridged.tracks.size(), 1U);
    EXPECT_EQ(bridged.tracks[0].end_frame(), 60);
    EXPECT_EQ(bridged.tracks[0].at(25)->obstacle, Obstacle::not_seen);
    EXPECT_NE(bridged.tracks[0].at(15)->obstacle, Obstacle::not_seen);
    const auto parted = tracking::first_pass(job_of(film(20, 50), 90), *equipment());
    EXPECT_TRUE(parted.cuts.empty());
    ASSERT_EQ(parted.tracks.size(), 2U);
    EXPECT_EQ(parted.tracks[0].end_frame(), 20);
    EXPECT_GE(parted.tracks[1].first_frame, 50);
    EXPECT_LE(parted.tracks[1].first_frame, 75) << "looked for every second";
    EXPECT_EQ(parted.tracks[0].person, parted.tracks[1].person) << "the same face at the same place";
}

TEST(Analyse, NoTrackCrossesACut) {
    NEEDS_THE_MODEL();
    const auto analysis = tracking::first_pass(
        job_of(
            [](std::int64_t frame) {
                GrayPicture picture = noise(400, 240, frame < 30 ? 3 : 4);
                for (int y = 0; y < 240; ++y)
                    for (int x = 0; x < 400; ++x)
                        picture.at(x, y) =
                            static_cast<std::uint8_t>((frame < 30 ? x / 2 : 255 - y) / 2 + picture.at(x, y) / 16);
                put_face(picture, frame < 30 ? 20 : 220, 40, 160);
                return picture;
            },
            60),
        *equipment());
    ASSERT_EQ(analysis.cuts.size(), 1U);
    EXPECT_EQ(analysis.cuts[0].frame, 30);
    ASSERT_EQ(analysis.tracks.size(), 2U);
    EXPECT_EQ(analysis.tracks[0].end_frame(), 30);
    EXPECT_EQ(analysis.tracks[1].first_frame, 30);
    EXPECT_EQ(analysis.tracks[1].shot, 1);
}

TEST(Analyse, ALongShotIsInOnePiece) {
    NEEDS_THE_MODEL();
    const auto analysis = tracking::first_pass(job_of(
                                                   [](std::int64_t frame) {
                                                       GrayPicture picture(150, 150, 80);
                                                       put_face(picture, 5 + static_cast<int>(frame / 8 % 3), 5, 140);
                                                       return picture;
                                                   },
                                                   1500),
                                               *equipment());
    ASSERT_EQ(analysis.tracks.size(), 1U);
    EXPECT_EQ(analysis.tracks[0].first_frame, 0);
    EXPECT_EQ(analysis.tracks[0].frames.size(), 1500U);
    expect_sound(analysis);
}

TEST(Analyse, TheNumberOfThreadsChangesNothing) {
    NEEDS_THE_MODEL();
    const auto film = [](std::int64_t frame) {
        GrayPicture picture(420, 220, 80);
        put_face(picture, 10 + static_cast<double>(frame) / 3, 20, 160);
        put_face(picture, 230, 30 + static_cast<double>(frame) / 5, 150);
        return picture;
    };
    std::vector<Analysis> results;
    for (const int threads : {1, 4}) {
        AnalysisJob job = job_of(film, 60);
        job.threads = threads;
        results.push_back(tracking::first_pass(job, *equipment()));
    }
    ASSERT_EQ(results[0].tracks.size(), 2U);
    ASSERT_EQ(results[1].tracks.size(), 2U);
    for (std::size_t t = 0; t < 2; ++t)
        for (std::int64_t frame = 0; frame < 60; ++frame) {
            EXPECT_EQ(results[0].tracks[t].at(frame)->landmarks, results[1].tracks[t].at(frame)->landmarks);
            EXPECT_EQ(results[0].tracks[t].at(frame)->to_canonical, results[1].tracks[t].at(frame)->to_canonical);
        }
}

TEST(Analyse, AnEightKStillIsTaken) {
    NEEDS_THE_MODEL();
    const auto analysis = tracking::first_pass(job_of(
                                                   [](std::int64_t) {
                                                       GrayPicture picture(7680, 4320, 80);
                                                       put_face(picture, 3000, 1000, 2000);
                                                       return picture;
                                                   },
                                                   1),
                                               *equipment());
    ASSERT_EQ(analysis.tracks.size(), 1U);
    expect_sound(analysis);
}

TEST(Analyse, BadFaceBoxesAreNamedAndGoodOnesTaken) {
    NEEDS_THE_MODEL();
    const float nan = std::nanf("");
    AnalysisJob job = job_of([](auto frame) { return noise(200, 150, static_cast<unsigned>(frame / 50)); }, 20);
    job.hints = {{0, {nan, 0, 50, 50}},  {0, {500, 10, 50, 50}},  {0, {10, 10, 3, 3}},      {0, {0, 0, 1e9F, 1e9F}},
                 {99, {10, 10, 60, 60}}, {0.2, {40, 30, 80, 80}}, {0.2, {-20, -20, 60, 60}}};
    const auto analysis = tracking::first_pass(job, *equipment());
    EXPECT_EQ(analysis.warnings.size(), 5U);
    expect_sound(analysis);
}

TEST(Analyse, ASoundThatCannotBeReadCostsOnlyTheKnowledgeOfWhoSpeaks) {
    NEEDS_THE_MODEL();
    AnalysisJob job = job_of_file((source_root() / "examples/speaker.mp4").string());
    job.open_sound = []() -> std::unique_ptr<SpeechSource> { throw Error(ExitCode::bad_data, "torn tape"); };
    const Analysis analysis = first_pass(job, *equipment());
    EXPECT_FALSE(analysis.tracks.empty());
    EXPECT_FALSE(analysis.heard);
    ASSERT_FALSE(analysis.warnings.empty());
    EXPECT_NE(analysis.warnings.back().find("torn tape"), std::string::npos);
}

TEST(Analyse, AMissingModelIsAnErrorThatNamesThePackage) {
    // The default places cannot be hidden from the search, so the name is what is tested where the model is there.
    EXPECT_FALSE(tracking::find_model("/nowhere", "no_such_model.dat"));
    const TempDir dir;
    write_bytes(dir / "no_such_model.dat", "x");
    EXPECT_EQ(tracking::find_model(dir.path().string(), "no_such_model.dat"), (dir / "no_such_model.dat").string());
}

/// What a shared clip must give.
struct Expected {
    const char* clip;
    std::size_t tracks;
    std::int64_t with_a_track;  // frames, at least
    std::size_t persons;
};

class AnalyseClip : public testing::TestWithParam<Expected> {};

TEST_P(AnalyseClip, GivesWhatIsToBeSeen) {
    NEEDS_THE_MODEL();
    const Expected& expected = GetParam();
    const auto file = shared_file(std::string("video/") + expected.clip);
    if (!file) GTEST_SKIP() << "the shared clips are not here (../shared/media/video)";
    const auto analysis = tracking::first_pass(job_of_file(file->string()), *equipment());
    expect_sound(analysis);
    EXPECT_EQ(analysis.tracks.size(), expected.tracks);
    std::int64_t with = 0;
    for (std::int64_t frame = 0; frame < analysis.frames(); ++frame)
        with += std::any_of(analysis.tracks.begin(), analysis.tracks.end(),
                            [&](const FaceTrack& track) { return track.at(frame) != nullptr; });
    EXPECT_GE(with, expected.with_a_track) << "of " << analysis.frames();
    int persons = 0;
    for (const FaceTrack& track : analysis.tracks) persons = std::max(persons, track.person);
    EXPECT_EQ(persons, static_cast<int>(expected.persons));
    for (const FaceTrack& track : analysis.tracks)
        for (const ShotBoundary& cut : analysis.cuts)
            EXPECT_FALSE(track.first_frame < cut.frame && cut.frame < track.end_frame()) << "a track crosses a cut";
}

INSTANTIATE_TEST_SUITE_P(
    Clips, AnalyseClip,
    testing::Values(Expected{"anime_silent_25fps.mp4", 1, 268, 1}, Expected{"cartoon_3d_undetected_25fps.mp4", 0, 0, 0},
                    Expected{"generated_fast_motion_24fps.mp4", 1, 192, 1},
                    Expected{"generated_person_24fps.mp4", 1, 121, 1}, Expected{"glasses_fringe_25fps.mp4", 1, 122, 1},
                    Expected{"grid_lwbsza_mpeg1.mpg", 1, 75, 1}, Expected{"grid_swiz3n_mpeg1.mpg", 1, 75, 1},
                    // the singer, not seen from 20 to 81; then a listener
                    Expected{"hard_cuts_no_face_29.97fps.mp4", 3, 200, 3},
                    Expected{"illustration_silent_mpeg4.mp4", 1, 288, 1},
                    Expected{"portrait_hd_hevc_25fps.mp4", 1, 250, 1},
                    // a jump cut parts the tracks, not the person; the hands do not
                    Expected{"small_face_hands_hevc_30fps.mp4", 2, 600, 1},
                    Expected{"three_quarter_22.13fps.mp4", 1, 135, 1},
                    Expected{"two_faces_turns_24fps.mp4", 2, 205, 2}),
    [](const auto& parameters) {
        std::string name = parameters.param.clip;
        name = name.substr(0, name.find('.'));
        return name;
    });

TEST(Analyse, TheTwoOfTurnsStayOnTheirSides) {
    NEEDS_THE_MODEL();
    const auto file = shared_file("video/two_faces_turns_24fps.mp4");
    if (!file) GTEST_SKIP() << "the shared clips are not here (../shared/media/video)";
    const auto analysis = tracking::first_pass(job_of_file(file->string()), *equipment());
    ASSERT_EQ(analysis.tracks.size(), 2U);
    for (const FaceFrame& face : analysis.tracks[0].frames) EXPECT_LT(face.landmarks[30].x, 400);
    for (const FaceFrame& face : analysis.tracks[1].frames) EXPECT_GT(face.landmarks[30].x, 500);
}

TEST(Analyse, AFaceBoxStartsWhatNoDetectorFinds) {
    NEEDS_THE_MODEL();
    const auto file = shared_file("video/cartoon_3d_undetected_25fps.mp4");
    if (!file) GTEST_SKIP() << "the shared clips are not here (../shared/media/video)";
    AnalysisJob job = job_of_file(file->string());
    job.hints = {{0.0, {134, 154, 198, 198}}};
    const auto analysis = tracking::first_pass(job, *equipment());
    ASSERT_EQ(analysis.tracks.size(), 1U);
    EXPECT_EQ(analysis.tracks[0].frames.size(), 249U);
    for (const FaceFrame& face : analysis.tracks[0].frames) {
        EXPECT_NEAR(face.landmarks[30].x, 245, 30);
        EXPECT_NEAR(face.landmarks[30].y, 275, 30);
    }
}

}  // namespace
}  // namespace omnisync::test
