// The first pass on faces whose course is known: crops of a talking face, moved over a background, frozen,
// recompressed.
#include <dlib/array2d.h>
#include <dlib/image_processing.h>
#include <dlib/image_processing/frontal_face_detector.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <numbers>
#include <random>
#include <vector>

#include "base/canonical_face.h"
#include "base/median.h"
#include "omnisync/analysis.h"
#include "omnisync/media.h"
#include "support/film.h"
#include "support/paths.h"
#include "support/process.h"
#include "tracking/face_finder.h"
#include "tracking/face_follower.h"
#include "tracking/finish_track.h"
#include "tracking/landmark_fitter.h"
#include "tracking/model_files.h"

namespace omnisync::test {
namespace {

constexpr double kPi = std::numbers::pi;

/// Luma of the first frames of a video.
std::vector<GrayPicture> luma_of(const fs::path& file, int frames, std::int64_t first = 0) {
    const auto source = open_video(file.string());
    GrayMaker gray(source->info());
    std::vector<GrayPicture> pictures;
    for (std::int64_t t = 0; static_cast<int>(pictures.size()) < frames; ++t) {
        const auto frame = source->next();
        if (!frame) break;
        if (t < first) continue;
        const GrayView view = gray.make(*frame);
        GrayPicture& picture = pictures.emplace_back(view.width, view.height);
        for (int y = 0; y < view.height; ++y)
            std::copy_n(view.data + view.stride * y, view.width, picture.pixels.data() + y * view.width);
    }
    return pictures;
}

/// A crop of a face on a canvas of waves and noise, at `place` (crop pixels to canvas pixels), its border faded out.
GrayPicture on_canvas(const GrayPicture& crop, const Similarity& place, int width, int height) {
    GrayPicture canvas(width, height);
    const Similarity back = place.inverse();
    std::uint32_t noise = 1;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            noise = noise * 1664525U + 1013904223U;
            double value = 110 + 25 * std::sin(x / 17.0) * std::cos(y / 23.0 + x / 60.0) + (noise >> 29);
            const Point p = back({static_cast<float>(x), static_cast<float>(y)});
            const int left = static_cast<int>(std::floor(p.x));
            const int top = static_cast<int>(std::floor(p.y));
            if (left >= 0 && top >= 0 && left + 1 < crop.width && top + 1 < crop.height) {
                const auto at = [&](int i, int j) {
                    return static_cast<double>(crop.pixels[static_cast<std::size_t>(j * crop.width + i)]);
                };
                const double fx = p.x - static_cast<float>(left);
                const double fy = p.y - static_cast<float>(top);
                const double face = (at(left, top) * (1 - fx) + at(left + 1, top) * fx) * (1 - fy) +
                                    (at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx) * fy;
                const double edge = std::min({p.x, p.y, 159 - p.x, 159 - p.y});
                const double share = std::clamp(edge / 6.0, 0.0, 1.0);
                value += (face - value) * share;
            }
            canvas.at(x, y) = static_cast<std::uint8_t>(std::lround(value));
        }
    }
    return canvas;
}

Similarity placed(double scale, double degrees, double x, double y) {
    const double angle = degrees * kPi / 180;
    Similarity place{scale * std::cos(angle), scale * std::sin(angle), 0, 0};
    const Point middle = place({80, 80});
    place.dx = x - middle.x;
    place.dy = y - middle.y;
    return place;
}

const FaceTrack* longest(const Analysis& analysis) {
    const auto best =
        std::max_element(analysis.tracks.begin(), analysis.tracks.end(),
                         [](const FaceTrack& a, const FaceTrack& b) { return a.frames.size() < b.frames.size(); });
    return best == analysis.tracks.end() ? nullptr : &*best;
}

double distance(Point a, Point b) {
    return std::hypot(a.x - b.x, a.y - b.y);
}

bool model_is_here() {
    return tracking::find_model("", tracking::kLandmarkModel).has_value();
}

fs::path speaker() {
    return source_root() / "examples" / "speaker.mp4";
}

TEST(SteadyFaces, AKnownMotionIsFollowedToAPixelAndAHundredth) {
    if (!model_is_here()) GTEST_SKIP() << "the landmark model is not here";
    const std::vector<GrayPicture> crops = luma_of(speaker(), 75);
    ASSERT_EQ(crops.size(), 75U);
    const auto truth = [](std::int64_t t) {
        const auto s = static_cast<double>(t) / 25;
        return placed(1.4 + 0.15 * std::sin(2 * kPi * s / 2.7), 6 * std::sin(2 * kPi * s / 2.1),
                      320 + 60 * std::sin(2 * kPi * s / 3.1), 240 + 25 * std::cos(2 * kPi * s / 2.3));
    };
    const auto still = [](std::int64_t) { return placed(1.4, 0, 320, 240); };
    const auto pass = [&](const auto& course) {
        return analyse(job_of(
            [&](std::int64_t t) { return on_canvas(crops[static_cast<std::size_t>(t)], course(t), 640, 480); }, 75));
    };
    const Analysis moving = pass(truth);
    const Analysis standing = pass(still);
    const FaceTrack* track = longest(moving);
    const FaceTrack* reference = longest(standing);
    ASSERT_TRUE(track != nullptr && reference != nullptr);
    ASSERT_EQ(track->frames.size(), 75U);
    ASSERT_EQ(reference->frames.size(), 75U);
    // The speaker nods and turns within the crop; what the pass makes of that when the crop stands still is the truth
    // that the known motion is laid upon.
    double off_square = 0;
    double growth_square = 0;
    for (std::int64_t t = 0; t < 75; ++t) {
        const Similarity found = track->at(t)->to_canonical.inverse();
        const Similarity own = reference->at(t)->to_canonical.inverse();
        const Point centre = truth(t)(still(t).inverse()(own({80, 80})));
        off_square += std::pow(distance(found({80, 80}), centre), 2) / 75;
        const double growth = found.scale() / (own.scale() * truth(t).scale() / still(t).scale()) - 1;
        growth_square += growth * growth / 75;
    }
    std::printf("centre error %.3f px RMS, scale error %.3f %% RMS\n", std::sqrt(off_square),
                100 * std::sqrt(growth_square));
    EXPECT_LT(std::sqrt(off_square), 1);
    EXPECT_LT(std::sqrt(growth_square), 0.01);
}

float from_half(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 31;
    const float fraction = static_cast<float>(bits & 1023) / 1024;
    const float size = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
    return (bits & 0x8000) != 0 ? -size : size;
}

TEST(SteadyFaces, AgreeWithTheTrainingFootageOfTheSameClip) {
    // No clip of the training footage is here as full pictures, so its crops are laid, scaled and turned, on a canvas.
    const auto crops_file = shared_file("../train/grid/crops.mp4");
    if (!crops_file || !model_is_here()) GTEST_SKIP() << "the training footage or the landmark model is not here";
    const std::vector<GrayPicture> crops = luma_of(*crops_file, 75);
    const std::string landmarks = read_bytes(*shared_file("../train/grid/landmarks.f16"));
    const auto course = [](std::int64_t t) { return placed(1.3, 4, 300 + 0.5 * static_cast<double>(t), 230); };
    const Analysis analysis = analyse(
        job_of([&](std::int64_t t) { return on_canvas(crops[static_cast<std::size_t>(t)], course(t), 640, 480); }, 75));
    const FaceTrack* track = longest(analysis);
    ASSERT_TRUE(track != nullptr && track->frames.size() == 75U);
    std::vector<double> points;
    std::vector<double> crop;
    for (std::int64_t t = 0; t < 75; ++t) {
        std::array<std::uint16_t, 2 * kLandmarks> half{};
        std::memcpy(half.data(), landmarks.data() + static_cast<std::size_t>(t) * sizeof(half), sizeof(half));
        for (std::size_t i = 0; i < kLandmarks; ++i)
            points.push_back(distance(track->at(t)->to_canonical(track->at(t)->landmarks[i]),
                                      {from_half(half[2 * i]), from_half(half[2 * i + 1])}));
        for (const Point corner : {Point{32, 62}, Point{128, 62}, Point{32, 158}, Point{128, 158}, Point{80, 80}})
            crop.push_back(distance(track->at(t)->to_canonical(course(t)(corner)), corner));
    }
    std::printf("landmarks %.2f px, crop %.2f px from the training footage (medians)\n", median(points), median(crop));
    EXPECT_LT(median(points), 1);
    EXPECT_LT(median(crop), 1);
}

/// The landmark model as dlib has it, at what its detector sees in each frame.
std::vector<Landmarks> raw_dlib(const std::vector<GrayPicture>& pictures) {
    dlib::shape_predictor predictor;
    dlib::deserialize(*tracking::find_model("", tracking::kLandmarkModel)) >> predictor;
    dlib::frontal_face_detector detector = dlib::get_frontal_face_detector();
    std::vector<Landmarks> result;
    for (const GrayPicture& picture : pictures) {
        dlib::array2d<unsigned char> image(picture.height, picture.width);
        for (int y = 0; y < picture.height; ++y)
            std::copy_n(picture.pixels.data() + y * picture.width, picture.width, &image[y][0]);
        const auto boxes = detector(image);
        if (boxes.empty()) continue;
        const auto shape = predictor(image, boxes.front());
        Landmarks& landmarks = result.emplace_back();
        for (std::size_t i = 0; i < kLandmarks; ++i)
            landmarks[i] = {static_cast<float>(shape.part(i).x()), static_cast<float>(shape.part(i).y())};
    }
    return result;
}

double jitter(const std::vector<Landmarks>& course) {
    double sum = 0;
    for (std::size_t t = 1; t < course.size(); ++t)
        for (std::size_t i = 0; i < kLandmarks; ++i) sum += std::pow(distance(course[t][i], course[t - 1][i]), 2);
    return std::sqrt(sum / (static_cast<double>(course.size() - 1) * kLandmarks));
}

std::vector<Landmarks> landmarks_of(const FaceTrack& track) {
    std::vector<Landmarks> result;
    for (const FaceFrame& face : track.frames) result.push_back(face.landmarks);
    return result;
}

TEST(SteadyFaces, AFrozenHeadTremblesAQuarterOfRawDlib) {
    if (!model_is_here()) GTEST_SKIP() << "the landmark model is not here";
    const GrayPicture crop = luma_of(speaker(), 1).at(0);
    const GrayPicture canvas = on_canvas(crop, placed(1.5, 3, 240, 180), 480, 360);
    const TempDir folder;
    std::mt19937 random(4);
    std::normal_distribution<double> sensor(0, 4);
    std::string bytes;
    constexpr int kFrames = 50;
    for (int t = 0; t < kFrames; ++t)
        for (const std::uint8_t value : canvas.pixels)
            bytes.push_back(static_cast<char>(std::clamp<long>(std::lround(value + sensor(random)), 0, 255)));
    write_bytes(folder / "still.raw", bytes);
    run_or_throw({"ffmpeg",
                  "-v",
                  "error",
                  "-f",
                  "rawvideo",
                  "-pix_fmt",
                  "gray",
                  "-s",
                  "480x360",
                  "-r",
                  "25",
                  "-i",
                  (folder / "still.raw").string(),
                  "-c:v",
                  "libx264",
                  "-crf",
                  "23",
                  "-pix_fmt",
                  "yuv420p",
                  (folder / "still.mp4").string()});
    const std::vector<GrayPicture> pictures = luma_of(folder / "still.mp4", kFrames);
    ASSERT_EQ(pictures.size(), static_cast<std::size_t>(kFrames));
    const Analysis analysis =
        analyse(job_of([&](std::int64_t t) { return pictures[static_cast<std::size_t>(t)]; }, kFrames));
    const FaceTrack* track = longest(analysis);
    ASSERT_TRUE(track != nullptr && track->frames.size() == pictures.size());
    const std::vector<Landmarks> raw = raw_dlib(pictures);
    ASSERT_GT(raw.size(), pictures.size() * 9 / 10);
    const double before = jitter(raw);
    const double after = jitter(landmarks_of(*track));
    std::printf("frame to frame %.3f px RMS by dlib, %.3f by us: %.1f times less\n", before, after, before / after);
    EXPECT_LT(after, before / 4);
}

/// Lips' opening in canonical pixels.
double opening(const Landmarks& landmarks, const Similarity& to_canonical) {
    return (to_canonical(landmarks[66]).y - to_canonical(landmarks[62]).y);
}

/// Variance below `limit_hz`.
double variance_below(const std::vector<double>& course, double fps, double limit_hz) {
    double mean = 0;
    for (const double value : course) mean += value / static_cast<double>(course.size());
    double sum = 0;
    for (std::size_t k = 1; static_cast<double>(k) * fps / static_cast<double>(course.size()) < limit_hz; ++k) {
        std::complex<double> part;
        for (std::size_t t = 0; t < course.size(); ++t)
            part += std::polar(course[t] - mean, -2 * kPi * static_cast<double>(k * t % course.size()) /
                                                     static_cast<double>(course.size()));
        sum += std::norm(part);
    }
    return sum;
}

int lag_of(const std::vector<double>& course, const std::vector<double>& reference) {
    int best = 0;
    double most = -1e300;
    for (int lag = -4; lag <= 4; ++lag) {
        double sum = 0;
        double a = 0;
        double b = 0;
        const auto pairs = static_cast<double>(course.size() - 8);
        for (std::size_t t = 4; t + 4 < course.size(); ++t) {
            a += course[t + static_cast<std::size_t>(lag + 4) - 4] / pairs;
            b += reference[t] / pairs;
        }
        for (std::size_t t = 4; t + 4 < course.size(); ++t)
            sum += (course[t + static_cast<std::size_t>(lag + 4) - 4] - a) * (reference[t] - b);
        if (sum > most) {
            most = sum;
            best = lag;
        }
    }
    return best;
}

TEST(SteadyFaces, ATalkingMouthKeepsItsMovementAndItsTime) {
    const auto model = tracking::find_model("", tracking::kLandmarkModel);
    if (!model) GTEST_SKIP() << "the landmark model is not here";
    const tracking::LandmarkFitter fitter(*model);
    std::vector<std::pair<fs::path, double>> clips{{speaker(), 25}};
    for (const char* name : {"video/grid_swiz3n_mpeg1.mpg", "video/glasses_fringe_25fps.mp4"})
        if (const auto file = shared_file(name)) clips.emplace_back(*file, 25);
    for (const auto& [file, fps] : clips) {
        std::vector<GrayPicture> pictures = luma_of(file, 120);
        if (file == speaker())  // a crop: the detector wants surroundings
            for (GrayPicture& picture : pictures) picture = on_canvas(picture, placed(1.5, 0, 240, 180), 480, 360);
        tracking::FaceFinder finder;
        const auto found = finder.everywhere(pictures.front().view(), tracking::Search{});
        ASSERT_FALSE(found.empty()) << file;
        tracking::FaceFollower follower(fitter, pictures.front().view(), 0, found.front(), {});
        for (std::size_t t = 1; t < pictures.size(); ++t) follower.step(pictures[t].view(), finder);
        const tracking::RawTrack& raw = follower.raw();
        const FaceTrack track = tracking::finish_track(raw, {pictures.front().width, pictures.front().height}, fps);
        ASSERT_EQ(track.frames.size(), pictures.size()) << file;
        std::vector<double> ours;
        std::vector<double> measured;
        for (std::size_t t = 0; t < pictures.size(); ++t) {
            EXPECT_EQ(track.frames[t].obstacle, Obstacle::none) << file << ' ' << t;
            ours.push_back(opening(track.frames[t].landmarks, track.frames[t].to_canonical));
            measured.push_back(opening(raw.faces[t].fitted, track.frames[t].to_canonical));
        }
        const double kept = variance_below(ours, fps, 8) / variance_below(measured, fps, 8);
        std::printf("%s: %.1f %% of the opening's variance below 8 Hz, lag %d\n", file.filename().c_str(), 100 * kept,
                    lag_of(ours, measured));
        EXPECT_GT(kept, 0.97) << file;
        EXPECT_EQ(lag_of(ours, measured), 0) << file;
    }
}

}  // namespace
}  // namespace omnisync::test
