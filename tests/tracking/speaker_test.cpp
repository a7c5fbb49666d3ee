#include "tracking/speaker.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "support/analysis.h"
#include "tracking/voice.h"

namespace omnisync::tracking {
namespace {

constexpr int kRate = 16000;
constexpr int kFps = 25;

class Samples final : public SpeechSource {
public:
    explicit Samples(std::vector<float> samples) : samples_(std::move(samples)) {}
    [[nodiscard]] int rate_hz() const override { return kRate; }
    std::size_t read(std::span<float> to) override {
        const std::size_t count = std::min(to.size(), samples_.size() - at_);
        std::copy_n(samples_.begin() + static_cast<std::ptrdiff_t>(at_), count, to.begin());
        at_ += count;
        return count;
    }

private:
    std::vector<float> samples_;
    std::size_t at_ = 0;
};

/// How far a mouth is open and how loud it is, 0 .. 1, at `time_s`: syllables of uneven length with pauses.
class Babble {
public:
    explicit Babble(unsigned seed) {
        std::mt19937 random(seed);
        const auto draw = [&] { return static_cast<double>(random() % 1000) / 1000; };
        for (double at = 0; at < 120;) {
            const double length = 0.12 + 0.16 * draw();
            const bool pause = draw() < 0.12;
            syllables_.push_back({at, length, pause ? 0 : 0.5 + 0.5 * draw()});
            at += length;
        }
    }
    [[nodiscard]] double operator()(double time_s) const {
        for (const auto& [at, length, size] : syllables_)
            if (time_s >= at && time_s < at + length) return size * std::sin(3.14159265 * (time_s - at) / length);
        return 0;
    }

private:
    struct Syllable {
        double at, length, size;
    };
    std::vector<Syllable> syllables_;
};

/// A buzz with `loudness(time)`, over noise of `noise` rms.
template <class Loudness>
std::vector<float> buzz(double length_s, const Loudness& loudness, double noise = 0.001) {
    std::mt19937 random(5);
    std::vector<float> samples(static_cast<std::size_t>(length_s * kRate));
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const double time = static_cast<double>(i) / kRate;
        const double tone = std::sin(2 * 3.14159265 * 220 * time) + std::sin(2 * 3.14159265 * 1100 * time);
        const double hiss = (static_cast<double>(random() % 2001) / 1000 - 1) * 1.7;
        samples[i] = static_cast<float>(0.15 * loudness(time) * tone + noise * hiss);
    }
    return samples;
}

template <class Opening>
void move_mouth(FaceTrack& track, const Opening& opening) {
    for (std::size_t i = 0; i < track.frames.size(); ++i)
        test::open_mouth(track.frames[i],
                         static_cast<float>(0.12 * opening(static_cast<double>(track.first_frame) / kFps +
                                                           static_cast<double>(i) / kFps)));
}

double mean_speaks(const FaceTrack& track, double from_s, double to_s) {
    double sum = 0;
    int count = 0;
    for (auto i = static_cast<std::int64_t>(from_s * kFps); i < static_cast<std::int64_t>(to_s * kFps); ++i, ++count)
        sum += track.at(i)->speaks;
    return sum / count;
}

void judge(Analysis& analysis, std::vector<float> samples, double origin_s = 0) {
    Samples source(std::move(samples));
    judge_speakers(analysis, source, origin_s);
}

TEST(Speaker, IsTheMouthThatMovesWithTheSound) {
    const Babble voice(1);
    Analysis analysis = test::empty_analysis(250);
    test::add_track(analysis, 0, 250, 200, 150);
    test::add_track(analysis, 0, 250, 450, 150);
    move_mouth(analysis.tracks[1], voice);
    judge(analysis, buzz(10, voice));
    EXPECT_TRUE(analysis.heard);
    EXPECT_GT(mean_speaks(analysis.tracks[1], 0.5, 9.5), 0.85);
    EXPECT_LT(mean_speaks(analysis.tracks[0], 0.5, 9.5), 0.05);
}

TEST(Speaker, ChangesWithTheTurns) {
    const Babble voice(2);
    const auto turn = [&](double from, double to) {
        return [&voice, from, to](double time) { return time >= from && time < to ? voice(time) : 0.0; };
    };
    Analysis analysis = test::empty_analysis(300);
    test::add_track(analysis, 0, 300, 200, 150);
    test::add_track(analysis, 0, 300, 450, 150);
    move_mouth(analysis.tracks[0], turn(0, 4));
    move_mouth(analysis.tracks[1], turn(4, 8));
    for (FaceFrame& face : analysis.tracks[0].frames) face.speaks = 1;  // what was there before does not count
    // From 8 s on nobody in the picture speaks.
    judge(analysis, buzz(12, voice));
    EXPECT_GT(mean_speaks(analysis.tracks[0], 0.5, 3.6), 0.85);
    EXPECT_LT(mean_speaks(analysis.tracks[1], 0.5, 3.6), 0.1);
    EXPECT_GT(mean_speaks(analysis.tracks[1], 4.5, 7.6), 0.85);
    EXPECT_LT(mean_speaks(analysis.tracks[0], 4.5, 7.6), 0.1);
    EXPECT_LT(mean_speaks(analysis.tracks[0], 8.6, 11.8), 0.1);
    EXPECT_LT(mean_speaks(analysis.tracks[1], 8.6, 11.8), 0.1);
}

TEST(Speaker, OfTwoMovingMouthsIsTheOneInTime) {
    const Babble voice(3);
    const Babble other(77);
    Analysis analysis = test::empty_analysis(500);
    test::add_track(analysis, 0, 500, 200, 150);
    test::add_track(analysis, 0, 500, 450, 150);
    move_mouth(analysis.tracks[0], other);
    move_mouth(analysis.tracks[1], voice);
    judge(analysis, buzz(20, voice));
    EXPECT_GT(mean_speaks(analysis.tracks[1], 0.5, 19.5), 4 * mean_speaks(analysis.tracks[0], 0.5, 19.5));
}

TEST(Speaker, IsFoundWithSoundThatIsLateAndTimesThatStartAnywhere) {
    const Babble voice(4);
    Analysis analysis = test::empty_analysis(250);
    for (std::int64_t& ticks : analysis.pts) ticks += 1000;  // 40 s
    test::add_track(analysis, 0, 250, 200, 150);
    test::add_track(analysis, 0, 250, 450, 150);
    move_mouth(analysis.tracks[0], Babble(78));
    move_mouth(analysis.tracks[1], voice);
    judge(analysis, buzz(10, [&](double time) { return voice(time - 0.12); }), 40.0);
    EXPECT_GT(mean_speaks(analysis.tracks[1], 0.5, 9.5), 4 * mean_speaks(analysis.tracks[0], 0.5, 9.5));
}

TEST(Speaker, IsNobodyWhenAVoiceIsHeardOverAStillFace) {
    std::mt19937 random(9);
    Analysis analysis = test::empty_analysis(250);
    FaceTrack& track = test::add_track(analysis, 0, 250, 300, 150);
    // What stabilised landmarks leave of noise.
    for (FaceFrame& face : track.frames)
        for (Point& point : face.landmarks) {
            point.x += static_cast<float>(random() % 100) / 500;
            point.y += static_cast<float>(random() % 100) / 500;
        }
    judge(analysis, buzz(10, Babble(5)));
    EXPECT_TRUE(analysis.heard);
    EXPECT_LT(mean_speaks(track, 0, 10), 0.1);
}

TEST(Speaker, IsNobodyWithoutAVoice) {
    Analysis analysis = test::empty_analysis(250);
    FaceTrack& track = test::add_track(analysis, 0, 250, 300, 150);
    move_mouth(track, Babble(6));
    for (const double noise : {0.0, 0.001, 0.2}) {
        judge(analysis, buzz(
                            10, [](double) { return 0.0; }, noise));
        EXPECT_EQ(analysis.heard, noise > 0) << noise;
        EXPECT_EQ(mean_speaks(track, 0, 10), 0) << noise;
    }
    judge(analysis, {});
    EXPECT_FALSE(analysis.heard);
    EXPECT_EQ(mean_speaks(track, 0, 10), 0);
}

TEST(Speaker, IsSilentInLongPauses) {
    const Babble voice(7);
    const auto with_pause = [&](double time) { return time > 4 && time < 6 ? 0.0 : voice(time); };
    Analysis analysis = test::empty_analysis(250);
    FaceTrack& track = test::add_track(analysis, 0, 250, 300, 150);
    move_mouth(track, with_pause);
    judge(analysis, buzz(10, with_pause));
    EXPECT_GT(mean_speaks(track, 0.5, 3.8), 0.8);
    EXPECT_LT(mean_speaks(track, 4.5, 5.5), 0.05);
    EXPECT_GT(mean_speaks(track, 6.4, 9.5), 0.8);
}

TEST(Speaker, SurvivesOddAnalyses) {
    const std::vector<float> sound = buzz(2, Babble(8));
    Analysis none = test::empty_analysis(0);
    judge(none, sound);
    EXPECT_TRUE(none.heard);
    Analysis one = test::empty_analysis(1);
    test::add_track(one, 0, 1, 100, 100);
    judge(one, sound);
    EXPECT_TRUE(std::isfinite(one.tracks[0].frames[0].speaks));
    // Faces that come and go, a gap of an hour between two frames, sound that ends before the picture.
    Analysis many = test::empty_analysis(100);
    for (std::size_t i = 50; i < 100; ++i) many.pts[i] += 90000;
    for (int i = 0; i < 30; ++i) test::add_track(many, i, 3 + 2 * i, 20.0F * static_cast<float>(i), 100);
    judge(many, sound);
    for (const FaceTrack& track : many.tracks)
        for (const FaceFrame& face : track.frames) EXPECT_TRUE(face.speaks >= 0 && face.speaks <= 1);
}

TEST(Voice, IsHeardOverNoise) {
    for (const double noise : {0.0005, 0.02}) {
        const auto samples = buzz(
            10, [voice = Babble(11)](double time) { return time > 3 && time < 7 ? voice(time) : 0.0; }, noise);
        Samples source(samples);
        const Voice voice(source);
        EXPECT_TRUE(voice.any()) << noise;
        EXPECT_GT(voice.presence(5), 0.3F) << noise;
        EXPECT_EQ(voice.presence(1.5), 0) << noise;
        EXPECT_EQ(voice.presence(9), 0) << noise;
        EXPECT_EQ(voice.presence(-1), 0);
        EXPECT_EQ(voice.presence(1e9), 0);
        EXPECT_GT(voice.level_db(5.03), voice.level_db(1.5)) << noise;
    }
}

}  // namespace
}  // namespace omnisync::tracking
