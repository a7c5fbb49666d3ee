#include "tracking/shots.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "omnisync/media.h"
#include "support/paths.h"

namespace omnisync::test {
namespace {

using omnisync::ShotBoundary;
using omnisync::Transition;
using tracking::ShotDetector;

constexpr int kWidth = 64;
constexpr int kHeight = 36;
constexpr double kPi = 3.14159265358979;

/// A drawn world: coloured waves and boxes that depend on `seed` and can be looked at from any place.
class Scene {
public:
    explicit Scene(unsigned seed) {
        std::mt19937 random(seed);
        std::uniform_real_distribution<double> unit(0, 1);
        for (auto& wave : waves_)
            wave = {unit(random) * 0.4 - 0.2, unit(random) * 0.4 - 0.2, unit(random) * 6, unit(random)};
        for (auto& box : boxes_)
            box = {unit(random) * 200 - 70,
                   unit(random) * 90 - 25,
                   6 + unit(random) * 18,
                   6 + unit(random) * 14,
                   {unit(random) * 255, unit(random) * 255, unit(random) * 255}};
    }
    [[nodiscard]] Image look(double left = 0, double top = 0) const {
        Image image(kWidth, kHeight);
        for (int y = 0; y < kHeight; ++y)
            for (int x = 0; x < kWidth; ++x)
                for (int c = 0; c < 3; ++c)
                    image.at(x, y)[c] = static_cast<std::uint8_t>(std::clamp(value(x + left, y + top, c), 0.0, 255.0));
        return image;
    }

private:
    struct Wave {
        double x, y, phase, height;
    };
    struct Box {
        double x, y, width, height;
        double colour[3];
    };
    [[nodiscard]] double value(double x, double y, int c) const {
        x = x - 200 * std::floor((x + 70) / 200);  // the boxes come again
        double sum = 110;
        for (const Wave& wave : waves_) sum += 25 * wave.height * std::sin(wave.x * x + wave.y * y + wave.phase + c);
        for (const Box& box : boxes_)
            if (x >= box.x && x < box.x + box.width && y >= box.y && y < box.y + box.height) sum = box.colour[c];
        return sum;
    }
    std::array<Wave, 4> waves_{};
    std::array<Box, 30> boxes_{};
};

Image mix(const Image& a, const Image& b, double weight) {
    Image result = a;
    for (std::size_t i = 0; i < a.rgb.size(); ++i)
        result.rgb[i] = static_cast<std::uint8_t>(std::lround(a.rgb[i] * (1 - weight) + b.rgb[i] * weight));
    return result;
}

Image flat(std::uint8_t level) {
    Image image(kWidth, kHeight);
    std::fill(image.rgb.begin(), image.rgb.end(), level);
    return image;
}

Image noisy(Image image, double deviation, std::mt19937& random) {
    std::normal_distribution<double> noise(0, deviation);
    for (auto& value : image.rgb) value = static_cast<std::uint8_t>(std::clamp(value + noise(random), 0.0, 255.0));
    return image;
}

using Film = std::vector<Image>;

Film still(const Image& image, int frames) {
    return Film(static_cast<std::size_t>(frames), image);
}
Film operator+(Film a, const Film& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
/// `frames` pictures on the way from a to b, both left out.
Film turn_into(const Image& a, const Image& b, int frames) {
    Film film;
    for (int i = 1; i <= frames; ++i) film.push_back(mix(a, b, static_cast<double>(i) / (frames + 1)));
    return film;
}
Film made(int frames, const std::function<Image(int)>& picture) {
    Film film;
    for (int i = 0; i < frames; ++i) film.push_back(picture(i));
    return film;
}

std::vector<ShotBoundary> detect(const Film& film) {
    ShotDetector detector;
    std::vector<ShotBoundary> all;
    const auto collect = [&] {
        for (const ShotBoundary& boundary : detector.take()) all.push_back(boundary);
    };
    for (std::size_t i = 0; i < film.size(); ++i) {
        detector.add(film[i], {static_cast<std::int64_t>(i) * 40, {1, 1000}});
        collect();
    }
    detector.finish();
    collect();
    return all;
}

std::string text(const std::vector<ShotBoundary>& boundaries) {
    std::ostringstream out;
    for (const ShotBoundary& b : boundaries)
        out << (out.str().empty() ? "" : " ") << b.frame << ":" << b.pts.ticks << ":" << name(b.transition);
    return out.str();
}

const Image kA = Scene(1).look();
const Image kB = Scene(2).look();

TEST(Shots, ACutIsFoundAtItsFrame) {
    EXPECT_EQ(text(detect(still(kA, 20) + still(kB, 20))), "20:800:cut");
    EXPECT_EQ(text(detect(still(kA, 3) + still(kB, 1))), "3:120:cut") << "the last frame alone is a shot";
    EXPECT_EQ(text(detect(still(kA, 1) + still(kB, 9))), "1:40:cut");
}

TEST(Shots, EveryPairOfScenesIsCut) {
    for (unsigned seed = 10; seed < 60; ++seed) {
        const auto found = detect(still(Scene(seed).look(), 12) + still(Scene(seed + 1).look(), 12));
        EXPECT_EQ(text(found), "12:480:cut") << "scenes " << seed << " and " << seed + 1;
    }
}

TEST(Shots, ShortShotsAreFound) {
    Film film;
    std::string expected;
    for (unsigned i = 0; i < 8; ++i) {
        film = film + still(Scene(100 + i).look(), 5);
        if (i > 0) expected += (i > 1 ? " " : "") + std::to_string(i * 5) + ":" + std::to_string(i * 200) + ":cut";
    }
    EXPECT_EQ(text(detect(film)), expected);
}

TEST(Shots, CutsAreFoundInDarkAndInNoise) {
    EXPECT_EQ(text(detect(still(mix(flat(0), kA, 0.25), 15) + still(mix(flat(0), kB, 0.25), 15))), "15:600:cut");
    std::mt19937 random(5);
    const Film film = still(kA, 15) + still(kB, 15);
    EXPECT_EQ(text(detect(made(30, [&](int i) { return noisy(film[static_cast<std::size_t>(i)], 20, random); }))),
              "15:600:cut");
}

TEST(Shots, ACutAmidMovementIsFound) {
    const Scene a(3);
    const Scene b(4);
    const Film film = made(20, [&](int i) { return a.look(i * 1.5, 0); }) +
                      made(20, [&](int i) { return b.look(-i * 1.5, i * 0.5); });
    EXPECT_EQ(text(detect(film)), "20:800:cut");
}

TEST(Shots, FadesThroughBlackAndWhiteAreOneBoundary) {
    for (const std::uint8_t level : {std::uint8_t{0}, std::uint8_t{16}, std::uint8_t{255}})
        for (const int length : {4, 12, 25}) {
            const Film film = still(kA, 30) + turn_into(kA, flat(level), length) + still(flat(level), 6) +
                              turn_into(flat(level), kB, length) + still(kB, 30);
            const auto found = detect(film);
            ASSERT_EQ(found.size(), 1U) << "level " << int(level) << ", length " << length << ": " << text(found);
            EXPECT_EQ(found[0].transition, Transition::fade);
            const std::int64_t light = 30 + length + 6;  // the first frame that is not flat, or (still faint) the next
            EXPECT_GE(found[0].frame, light);
            EXPECT_LE(found[0].frame, light + 1 + length / 6) << "what is fainter still is black";
        }
}

TEST(Shots, BlackAtTheEndsIsNoBoundary) {
    const Film film = still(flat(0), 10) + turn_into(flat(0), kA, 15) + still(kA, 20) + turn_into(kA, flat(0), 15) +
                      still(flat(0), 10);
    EXPECT_EQ(text(detect(film)), "");
}

TEST(Shots, DissolvesAreOneBoundaryInTheirMiddle) {
    for (const int length : {1, 3, 6, 10, 20, 30, 44}) {
        const auto found = detect(still(kA, 40) + turn_into(kA, kB, length) + still(kB, 40));
        ASSERT_EQ(found.size(), 1U) << "length " << length << ": " << text(found);
        EXPECT_EQ(found[0].transition, Transition::dissolve) << "length " << length;
        EXPECT_NEAR(static_cast<double>(found[0].frame), 40 + length / 2.0, 1.5) << "length " << length;
        EXPECT_NEAR(static_cast<double>(found[0].first_mixed), 40, 3);
        EXPECT_NEAR(static_cast<double>(found[0].last_mixed), 40 + length - 1, 3);
    }
}

TEST(Shots, ADissolveInNoiseIsFound) {
    std::mt19937 random(7);
    const Film film = still(kA, 30) + turn_into(kA, kB, 16) + still(kB, 30);
    const auto found = detect(made(static_cast<int>(film.size()),
                                   [&](int i) { return noisy(film[static_cast<std::size_t>(i)], 10, random); }));
    ASSERT_EQ(found.size(), 1U) << text(found);
    EXPECT_EQ(found[0].transition, Transition::dissolve);
}

TEST(Shots, ADissolveOfMovingPicturesIsFound) {
    const Scene a(3);
    const Scene b(4);
    const auto found = detect(made(
        70, [&](int i) { return mix(a.look(i * 0.15), b.look(-i * 0.15), std::clamp((i - 29) / 13.0, 0.0, 1.0)); }));
    ASSERT_EQ(found.size(), 1U) << text(found);
    EXPECT_EQ(found[0].transition, Transition::dissolve);
    EXPECT_NEAR(static_cast<double>(found[0].frame), 36, 2);
}

TEST(Shots, AFlashIsNoBoundary) {
    for (int length = 1; length <= 6; ++length) {
        EXPECT_EQ(text(detect(still(kA, 20) + still(flat(255), length) + still(kA, 20))), "") << "white, " << length;
        EXPECT_EQ(text(detect(still(kA, 20) + still(mix(kA, flat(255), 0.9), length) + still(kA, 20))), "")
            << "bright, " << length;
        EXPECT_EQ(text(detect(still(kA, 20) + still(kB, length) + still(kA, 20))), "") << "a passer-by, " << length;
    }
    EXPECT_EQ(text(detect(still(kA, 20) + turn_into(flat(255), kA, 6) + still(kA, 20))), "") << "dying away";
    EXPECT_EQ(text(detect(still(kA, 20) + still(flat(255), 2) + still(kB, 20))), "22:880:cut") << "hides a cut";
}

TEST(Shots, ALightGoingOutIsNoBoundary) {
    EXPECT_EQ(text(detect(still(kA, 20) + turn_into(kA, mix(flat(0), kA, 0.3), 20) + still(mix(flat(0), kA, 0.3), 20))),
              "");
    EXPECT_EQ(text(detect(still(kA, 20) + still(mix(flat(0), kA, 0.3), 20))), "") << "at once";
}

TEST(Shots, MovementIsNoBoundary) {
    for (const double speed : {0.2, 1.0, 2.5, 5.0}) {
        for (unsigned seed = 9; seed < 19; ++seed) {
            const Scene scene(seed);
            EXPECT_EQ(text(detect(made(60, [&](int i) { return scene.look(i * speed - 60, 0); }))), "")
                << "speed " << speed;
            EXPECT_EQ(text(detect(still(scene.look(), 20) +
                                  made(20, [&](int i) { return scene.look(i * speed, i * speed / 4); }) +
                                  still(scene.look(20 * speed, 5 * speed), 20))),
                      "")
                << "starting and stopping, scene " << seed << ", speed " << speed;
        }
    }
}

TEST(Shots, NoiseAndStillnessAreNoBoundaries) {
    std::mt19937 random(11);
    EXPECT_EQ(text(detect(made(80, [&](int) { return noisy(kA, 40, random); }))), "");
    EXPECT_EQ(text(detect(made(80, [&](int) { return noisy(flat(10), 8, random); }))), "") << "a dark room";
    EXPECT_EQ(text(detect(still(kA, 80))), "");
    EXPECT_EQ(text(detect(still(flat(0), 80))), "");
}

TEST(Shots, FilmsOfAFewFramesAreTaken) {
    EXPECT_EQ(text(detect({})), "");
    EXPECT_EQ(text(detect({kA})), "");
    EXPECT_EQ(text(detect({kA, kA})), "");
    EXPECT_EQ(text(detect({flat(0), flat(0)})), "");
}

/// What the detector finds in a file.
std::vector<ShotBoundary> detect_in(const std::string& path, std::int64_t& frames) {
    const auto video = open_video(path);
    ImageMaker maker(video->info(), fit(display_size(video->info()), {64, 64}));
    ShotDetector detector;
    for (frames = 0; const auto frame = video->next(); ++frames) detector.add(maker.make(*frame), frame->pts);
    detector.finish();
    return detector.take();
}

/// The same from luma at full size, which is what the first pass gives.
std::vector<ShotBoundary> detect_in_luma(const std::string& path) {
    const auto video = open_video(path);
    GrayMaker maker(video->info());
    ShotDetector detector;
    while (const auto frame = video->next()) detector.add(maker.make(*frame), frame->pts);
    detector.finish();
    return detector.take();
}

TEST(Shots, TheSharedClipsAreCutAsMarkedByEye) {
    if (shared_clips().empty()) GTEST_SKIP() << "the shared clips are not here (../shared/media/video)";
    std::ifstream truth(source_root() / "tests/tracking/shots_truth.txt");
    ASSERT_TRUE(truth) << "tests/tracking/shots_truth.txt";
    int clips = 0;
    for (std::string line; std::getline(truth, line);) {
        if (line.empty() || line[0] == '#') continue;
        std::istringstream words(line);
        std::string clip;
        std::int64_t frames_expected = 0;
        words >> clip >> frames_expected;
        std::string expected;
        for (std::string word; words >> word;) expected += (expected.empty() ? "" : " ") + word;
        const auto file = shared_file("video/" + clip);
        ASSERT_TRUE(file) << clip << " is marked but not there";
        std::int64_t frames = 0;
        EXPECT_EQ(text(detect_in(file->string(), frames)), expected) << clip;
        EXPECT_EQ(frames, frames_expected) << clip;
        EXPECT_EQ(text(detect_in_luma(file->string())), expected) << clip << ", from luma";
        ++clips;
    }
    EXPECT_EQ(clips, static_cast<int>(shared_clips().size())) << "every clip is marked";
}

TEST(Shots, FiveHundred720pFramesASecondOfComputingTime) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers slow it down";
#endif
    VideoInfo video;
    video.width = 1280;
    video.height = 720;
    Frame frame;
    frame.width = 1280;
    frame.height = 720;
    frame.format.name = "yuv420p";
    frame.plane_count = 3;
    std::vector<std::uint8_t> pixels(1280 * 720 * 3 / 2);
    std::mt19937 random(3);
    for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i / 1280 + random() % 64);
    frame.planes[0] = {pixels.data(), 1280, 1280, 720};
    frame.planes[1] = {pixels.data() + 1280 * 720, 640, 640, 360};
    frame.planes[2] = {pixels.data() + 1280 * 720 * 5 / 4, 640, 640, 360};
    double best = 0;
    for (int round = 0; round < 3; ++round) {
        ImageMaker maker(video, {64, 36});
        ShotDetector detector;
        constexpr int kFrames = 200;
        const std::clock_t start = std::clock();
        for (int i = 0; i < kFrames; ++i) {
            frame.planes[0].data = pixels.data() + i % 7;  // something moves
            detector.add(maker.make(frame), {i, {1, 25}});
        }
        best = std::max(best, kFrames * double(CLOCKS_PER_SEC) / std::max<double>(1, std::clock() - start));
    }
    std::cout << "shots: " << std::lround(best) << " frames of 720p a second, thumbnails included\n";
    EXPECT_GE(best, 500);
}

}  // namespace
}  // namespace omnisync::test
