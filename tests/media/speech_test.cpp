#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <vector>

#include "omnisync/error.h"
#include "omnisync/media.h"
#include "support/paths.h"
#include "support/process.h"

namespace omnisync {
namespace {

using test::run_or_throw;
using test::TempDir;

std::vector<float> read_all(const std::string& path, int rate_hz, int track = -1) {
    const auto source = open_speech(path, rate_hz, track);
    std::vector<float> samples;
    std::vector<float> part(1000);  // no divisor of any block size
    while (const std::size_t count = source->read(part))
        samples.insert(samples.end(), part.begin(), part.begin() + static_cast<std::ptrdiff_t>(count));
    return samples;
}

std::string make_sound(const TempDir& folder, const std::string& name, const std::string& source,
                       const std::vector<std::string>& options = {}) {
    const std::string path = (folder / name).string();
    std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back(path);
    run_or_throw(command);
    return path;
}

// Amplitude of a tone in a run of samples, by correlation.
double amplitude(const std::vector<float>& samples, std::size_t from, std::size_t count, double hertz, int rate_hz) {
    double re = 0;
    double im = 0;
    for (std::size_t i = from; i < from + count; ++i) {
        const double phase = 2 * std::numbers::pi * hertz * static_cast<double>(i) / rate_hz;
        re += samples[i] * std::cos(phase);
        im += samples[i] * std::sin(phase);
    }
    return 2 * std::hypot(re, im) / static_cast<double>(count);
}

TEST(Speech, ResamplesWithoutAliasing) {
    const TempDir folder;
    // 1 kHz stays, 10 kHz would fold to 6 kHz at 16 kHz.
    const std::string path =
        make_sound(folder, "tones.wav", "aevalsrc=0.25*sin(2*PI*1000*t)+0.25*sin(2*PI*10000*t):s=48000:d=1");
    const auto samples = read_all(path, 16000);
    ASSERT_EQ(samples.size(), 16000U);
    EXPECT_NEAR(amplitude(samples, 2000, 12000, 1000, 16000), 0.25, 0.001);
    EXPECT_LT(amplitude(samples, 2000, 12000, 6000, 16000), 0.25 * 1e-4);  // 80 dB down
}

TEST(Speech, MixesChannelsDownWithoutClipping) {
    const TempDir folder;
    const std::string path =
        make_sound(folder, "surround.wav", "sine=500:d=1:r=48000",
                   {"-af", "volume=8dB,pan=5.1|FL=c0|FR=c0|FC=c0|LFE=c0|BL=c0|BR=c0", "-c:a", "pcm_f32le"});
    const auto samples = read_all(path, 16000);
    const float peak = *std::max_element(samples.begin(), samples.end());
    EXPECT_GT(peak, 0.1F);
    EXPECT_LE(peak, 1.0F);
}

TEST(Speech, StartsAtTheFilesTimeZero) {
    const TempDir folder;
    const std::string path = (folder / "late.mkv").string();
    run_or_throw({"ffmpeg",     "-v",        "error",
                  "-nostdin",   "-y",        "-f",
                  "lavfi",      "-i",        "testsrc=s=64x64:d=1",
                  "-itsoffset", "0.5",       "-f",
                  "lavfi",      "-i",        "sine=1000:d=1:r=16000",
                  "-map",       "0",         "-map",
                  "1",          "-c:v",      "ffv1",
                  "-c:a",       "pcm_s16le", path});
    const auto samples = read_all(path, 16000);
    const auto first =
        std::find_if(samples.begin(), samples.end(), [](float v) { return std::abs(v) > 0.01F; }) - samples.begin();
    EXPECT_NEAR(static_cast<double>(first), 8000, 16);
    EXPECT_EQ(samples.size(), 24000U);
}

TEST(Speech, CountsSamplesThatAreNoNumbersAndRefusesTooMany) {
    const TempDir folder;
    const std::string path = make_sound(folder, "float.wav", "sine=1000:d=1:r=16000", {"-c:a", "pcm_f32le"});
    std::string bytes = test::read_bytes(path);
    const std::size_t data = bytes.size() - 16000 * 4;
    const float bad = std::numeric_limits<float>::quiet_NaN();
    for (std::size_t i = 0; i < 8; ++i) std::memcpy(bytes.data() + data + i * 4000, &bad, 4);
    test::write_bytes(path, bytes);
    EXPECT_EQ(inspect_speech(path).repaired_samples, 8);
    for (const float sample : read_all(path, 16000)) ASSERT_TRUE(std::isfinite(sample));
    for (std::size_t i = 0; i < 400; ++i) std::memcpy(bytes.data() + data + i * 160, &bad, 4);
    test::write_bytes(path, bytes);
    EXPECT_THROW((void)inspect_speech(path), Error);
}

TEST(Speech, CountsTracksFromZero) {
    const TempDir folder;
    const std::string path = (folder / "two.mkv").string();
    run_or_throw({"ffmpeg",
                  "-v",
                  "error",
                  "-nostdin",
                  "-y",
                  "-f",
                  "lavfi",
                  "-i",
                  "sine=500:d=1:r=16000",
                  "-f",
                  "lavfi",
                  "-i",
                  "sine=2000:d=1:r=16000",
                  "-map",
                  "0",
                  "-map",
                  "1",
                  "-c:a",
                  "pcm_s16le",
                  path});
    EXPECT_GT(amplitude(read_all(path, 16000, 0), 0, 16000, 500, 16000), 0.05);
    EXPECT_GT(amplitude(read_all(path, 16000, 1), 0, 16000, 2000, 16000), 0.05);
    EXPECT_THROW(read_all(path, 16000, 2), Error);
}

}  // namespace
}  // namespace omnisync
