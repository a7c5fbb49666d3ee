// What a dubbed mouth does, seen from outside: the result is followed again as a stranger would. Runs with the weights
// that ship (models/portable, or below OMNISYNC_MODELS).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;
using Column = std::vector<double>;
using Table = std::map<std::string, Column>;

constexpr int kSide = 160;  // the example's picture, I420
constexpr std::size_t kFrameBytes = kSide * kSide * 3 / 2;
constexpr std::size_t kFrames = 75;

/// A CSV file of numbers, column by column.
Table read_table(const fs::path& file) {
    std::istringstream lines(read_bytes(file));
    std::string line;
    std::getline(lines, line);
    Words names;
    for (std::istringstream fields(line); std::getline(fields, line, ',');) names.push_back(line);
    Table table;
    while (std::getline(lines, line)) {
        std::istringstream fields(line);
        std::string field;
        for (const std::string& name : names)
            if (std::getline(fields, field, ',')) table[name].push_back(std::stod(field));
    }
    return table;
}

double mean(const Column& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
}

double covariance(const Column& a, const Column& b) {
    const double at_a = mean(a);
    const double at_b = mean(b);
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - at_a) * (b[i] - at_b);
    return sum / static_cast<double>(a.size());
}

double deviation(const Column& values) {
    return std::sqrt(covariance(values, values));
}

double correlation(const Column& a, const Column& b) {
    return covariance(a, b) / (deviation(a) * deviation(b));
}

class DubbedMouth : public testing::Test {
protected:
    void omnisync(Words words) {
        words.insert(words.begin(), command_path());
        words.insert(words.end(), {"--models", models_, "-q"});
        ProcessOptions options;
        options.limit = std::chrono::minutes(4);
        options.environment = environment_;
        const auto done = run(words, options);
        ASSERT_TRUE(done.ok()) << done.summary();
    }
    /// The example dubbed without loss into NAME.mkv, with NAME.csv for the plan.
    void dub(const std::string& name, const std::string& speech, const Words& extra = {},
             const std::string& codec = "lossless") {
        Words words{"dub",    example("speaker.mp4"), speech, "-o", file(name + ".mkv"), "--video-codec", codec,
                    "--plan", file(name + ".csv")};
        words.insert(words.end(), extra.begin(), extra.end());
        omnisync(words);
    }
    Table plan(const std::string& name) { return read_table(file(name + ".csv")); }
    Table follow(const std::string& video) {
        omnisync({"inspect", video, "--landmarks", file("seen.csv"), "--force"});
        return read_table(file("seen.csv"));
    }
    [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

    std::string models_ = models().string();
    Words environment_;
    TempDir folder_;
};

TEST_F(DubbedMouth, TheFileIsTheSameForAnyNumberOfThreads) {
    // FFV1: x264 writes how many threads it has into what it makes.
    std::string first;
    for (const char* const threads : {"1", "2", "3"}) {
        const std::string name = std::string("threads") + threads;
        dub(name, example("speech.wav"), {"--threads", threads}, "ffv1");
        const std::string all = read_bytes(file(name + ".mkv")) + read_bytes(file(name + ".csv"));
        if (first.empty()) first = all;
        EXPECT_TRUE(all == first) << threads << " threads";
    }
}

TEST_F(DubbedMouth, TheFileIsTheSameWhateverWasInMemoryBefore) {
    // x264's AVX-512 code did not do so: the encoder's choice of code keeps clear of it.
    std::string first;
    for (const char* const garbage : {"85", "170"}) {
        environment_ = {std::string("MALLOC_PERTURB_=") + garbage};
        const std::string name = std::string("memory") + garbage;
        dub(name, example("speech.wav"), {}, "libx264");
        const std::string all = read_bytes(file(name + ".mkv"));
        if (first.empty()) first = all;
        EXPECT_TRUE(all == first) << "freed memory filled with " << garbage;
    }
}

TEST_F(DubbedMouth, WeightsThatPlanNoNumbersMakeNoFile) {
    const fs::path broken = fs::path(file("models")) / "portable";
    fs::create_directories(broken);
    std::string weights = read_bytes(fs::path(models_) / "portable" / "motion.safetensors");
    std::fill_n(weights.begin() + static_cast<std::ptrdiff_t>(weights.size() / 4), weights.size() / 4, '\x7f');  // NaN
    write_bytes(broken / "motion.safetensors", weights);
    const auto done = run({command_path(), "dub", example("speaker.mp4"), example("speech.wav"), "-o", file("out.mp4"),
                           "--models", file("models"), "--preview", "1"});
    EXPECT_EQ(done.exit_code, 65) << done.summary();
    EXPECT_NE(done.err.find("motion.safetensors"), std::string::npos) << done.err;
    EXPECT_FALSE(fs::exists(file("out.mp4")));
}

TEST_F(DubbedMouth, NoSampleOutsideTheLowerFaceChanges) {
    dub("out", example("speech.wav"));
    const Table lips = follow(example("speaker.mp4"));
    const std::string before = pictures_of(example("speaker.mp4"));
    const std::string after = pictures_of(file("out.mkv"));
    ASSERT_EQ(before.size(), kFrames * kFrameBytes);
    ASSERT_EQ(after.size(), before.size());
    ASSERT_EQ(lips.at("frame").size(), kFrames);
    std::size_t changed_frames = 0;
    for (std::size_t f = 0; f < kFrames; ++f) {
        // From the base of the nose to below the chin, from cheek to cheek, in widths of the lips; whole chroma
        // samples.
        const double x = lips.at("mouth_x")[f];
        const double y = lips.at("mouth_y")[f];
        const double width = lips.at("mouth_width")[f];
        const int left = static_cast<int>(x - 1.5 * width) / 2;
        const int right = static_cast<int>(x + 1.5 * width) / 2;
        const int top = static_cast<int>(y - 1.0 * width) / 2;
        const int bottom = static_cast<int>(y + 1.2 * width) / 2;
        const auto beside = [&](int column, int row, int step) {  // step: luma samples are half as far apart
            return column / step < left || column / step > right || row / step < top || row / step > bottom;
        };
        std::size_t outside = 0;
        std::size_t inside = 0;
        std::size_t at = f * kFrameBytes;
        for (const int side : {kSide, kSide / 2, kSide / 2})
            for (int row = 0; row < side; ++row)
                for (int column = 0; column < side; ++column, ++at)
                    if (before[at] != after[at]) ++(beside(column, row, side == kSide ? 2 : 1) ? outside : inside);
        EXPECT_EQ(outside, 0U) << "frame " << f;
        changed_frames += inside > 0 ? 1 : 0;
    }
    EXPECT_GT(changed_frames, kFrames / 2);
}

TEST_F(DubbedMouth, OpensAsPlannedAndNotAsItDidBefore) {
    dub("out", example("speech.wav"));
    const Table planned = plan("out");
    const Table seen = follow(file("out.mkv"));
    ASSERT_EQ(planned.at("picture").size(), kFrames);
    ASSERT_EQ(seen.at("frame").size(), kFrames);
    for (std::size_t i = 0; i < kFrames; ++i) ASSERT_EQ(planned.at("picture")[i], static_cast<double>(i));
    EXPECT_GT(deviation(planned.at("planned_opening")), 1) << "canonical pixels: it does speak";
    EXPECT_GT(correlation(seen.at("opening"), planned.at("planned_opening")), 0.6);
    EXPECT_LT(correlation(seen.at("opening"), planned.at("source_opening")), 0.4);
}

TEST_F(DubbedMouth, RestsInSilence) {
    write_wav(file("silence.wav"), std::vector<float>(3 * 16'000, 0.F), 16'000);
    dub("speech", example("speech.wav"));
    dub("silence", file("silence.wav"));
    const Column spoken = plan("speech").at("planned_opening");
    const Column silent = plan("silence").at("planned_opening");
    ASSERT_EQ(silent.size(), kFrames);
    EXPECT_LT(deviation(silent), 0.1 * deviation(spoken));
    const Column before = plan("silence").at("source_opening");
    EXPECT_NEAR(mean(silent), *std::min_element(before.begin(), before.end()), 1) << "closed as the speaker closes it";
    const Table seen = follow(file("silence.mkv"));
    EXPECT_LT(deviation(seen.at("opening")), 0.25 * deviation(spoken));
}

TEST_F(DubbedMouth, AToneAndAHissAreNoSpeech) {
    constexpr int kRate = 16'000;
    std::vector<float> tone;
    std::vector<float> hiss;
    unsigned state = 1;
    for (int i = 0; i < 3 * kRate; ++i) {
        tone.push_back(0.2F * std::sin(0.17F * static_cast<float>(i)));
        state = state * 1664525U + 1013904223U;
        hiss.push_back(0.1F * (static_cast<float>(state >> 8U) / 8388608.F - 1.F));
    }
    write_wav(file("tone.wav"), tone, kRate);
    write_wav(file("hiss.wav"), hiss, kRate);
    dub("speech", example("speech.wav"));
    const double spoken = deviation(plan("speech").at("planned_opening"));
    for (const char* const sound : {"tone", "hiss"}) {
        dub(sound, file(std::string(sound) + ".wav"));
        EXPECT_LT(deviation(plan(sound).at("planned_opening")), 0.1 * spoken) << sound;
    }
}

TEST_F(DubbedMouth, NoOptionTakesTheLipsFurtherThanTheSpeakerDoes) {
    dub("out", example("speech.wav"), {"--guidance", "20", "--strength", "2"});
    const Column planned = plan("out").at("planned_opening");
    const Column before = plan("out").at("source_opening");
    EXPECT_LT(*std::max_element(planned.begin(), planned.end()), 1.5 * *std::max_element(before.begin(), before.end()));
}

}  // namespace
}  // namespace omnisync::test
