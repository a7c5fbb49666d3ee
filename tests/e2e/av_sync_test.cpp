// A flash and a click: however the sound is coded and boxed, they stay where the source and the speech put them.
#include <gtest/gtest.h>

#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

constexpr double kFlash = 1.0;       // where the picture turns white for two frames
constexpr double kTolerance = 1e-3;  // the acceptance: within 1 ms

/// A black picture with a white flash, its own click at the same moment, in the container of `file`'s extension.
void make_flash_video(const fs::path& file, double start_s) {
    const TempDir tmp;
    write_wav(tmp / "click.wav", click_track(48000, 2.4, kFlash), 48000);
    const bool webm = file.extension() == ".webm";
    std::vector<std::string> command{
        "ffmpeg",
        "-v",
        "error",
        "-nostdin",
        "-y",
        "-f",
        "lavfi",
        "-i",
        "color=black:s=96x64:r=25:d=2.4,drawbox=enable='between(n,25,26)':color=white:t=fill",
        "-i",
        (tmp / "click.wav").string(),
        "-output_ts_offset",
        std::to_string(start_s),
        "-pix_fmt",
        "yuv420p"};
    const std::vector<std::string> codecs =
        webm ? std::vector<std::string>{"-c:v",      "libvpx-vp9", "-deadline", "realtime",
                                        "-cpu-used", "8",          "-c:a",      "libopus"}
             : std::vector<std::string>{"-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-c:a", "aac"};
    command.insert(command.end(), codecs.begin(), codecs.end());
    command.push_back(file.string());
    run_or_throw(command);
}

std::vector<std::string> quick(const fs::path& out) {
    if (out.extension() == ".webm") return {"--video-codec", "copy"};
    return {"--preset", "ultrafast"};
}

/// How much later the click sounds than the flash is seen, in seconds.
double click_after_flash(const fs::path& file) {
    const auto click = find_click(decode_sound(file));
    EXPECT_GT(click.match, 0.8) << "what was found is not the click";
    return click.seconds - find_flash(file);
}

struct Boxed {
    const char* extension;
    const char* codec;   ///< of --audio-out
    const char* probed;  ///< as ffprobe names it
};

void PrintTo(const Boxed& boxed, std::ostream* stream) {
    *stream << boxed.codec << " in " << boxed.extension;
}

class ClickAndFlash : public testing::TestWithParam<std::tuple<Boxed, double>> {};

TEST_P(ClickAndFlash, StayTogether) {
    const auto& [boxed, offset] = GetParam();
    const TempDir tmp;
    const auto source = tmp / (std::string("source.") + boxed.extension);
    const auto out = tmp / (std::string("out.") + boxed.extension);
    make_flash_video(source, 0);
    write_wav(tmp / "speech.wav", click_track(48000, 2.2, kFlash), 48000);
    auto options = quick(out);
    options.insert(options.end(),
                   {"--sync", "silence", "--audio-out", boxed.codec, "--offset=" + std::to_string(offset)});
    ASSERT_TRUE(dubs(source, tmp / "speech.wav", out, options));

    EXPECT_EQ(streams_of(probe(out), "audio").at(0).value("codec_name", ""), boxed.probed);
    EXPECT_NEAR(find_flash(out), find_flash(source), 1e-6) << "the picture moved";
    // The speech's time zero is the start of the source's timeline.
    const double wanted = start_seconds(probe(source)) + kFlash + offset - find_flash(source);
    EXPECT_NEAR(click_after_flash(out), wanted, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Sound, ClickAndFlash,
    testing::Combine(testing::Values(Boxed{"mp4", "aac", "aac"}, Boxed{"mp4", "libopus", "opus"},
                                     Boxed{"mp4", "flac", "flac"}, Boxed{"mkv", "aac", "aac"},
                                     Boxed{"mkv", "libopus", "opus"}, Boxed{"mkv", "flac", "flac"},
                                     Boxed{"mkv", "pcm_s16le", "pcm_s16le"}, Boxed{"mov", "aac", "aac"},
                                     Boxed{"mov", "pcm_s16le", "pcm_s16le"}, Boxed{"webm", "libopus", "opus"}),
                     testing::Values(0.0, 0.3137, -0.2501)),
    [](const auto& info) {
        const auto& boxed = std::get<0>(info.param);
        const double offset = std::get<1>(info.param);
        return std::string(boxed.codec) + "_in_" + boxed.extension +
               (offset == 0  ? ""
                : offset > 0 ? "_later"
                             : "_earlier");
    });

struct Spoken {
    const char* label;
    const char* file;                 ///< name of the speech file
    std::vector<std::string> encode;  ///< ffmpeg's output options
    bool knows_its_delay = true;      ///< false: the format cannot say how much the encoder put in front
};

void PrintTo(const Spoken& spoken, std::ostream* stream) {
    *stream << spoken.label;
}

class SpeechFiles : public testing::TestWithParam<std::tuple<Spoken, const char*>> {};

TEST_P(SpeechFiles, AreHeardFromTheirOwnStart) {
    const auto& [spoken, extension] = GetParam();
    const TempDir tmp;
    const auto source = tmp / (std::string("source.") + extension);
    const auto speech = tmp / spoken.file;
    const auto out = tmp / (std::string("out.") + extension);
    make_flash_video(source, 0);
    write_wav(tmp / "click.wav", click_track(44100, 2.2, kFlash), 44100, 2);
    std::vector<std::string> command{"ffmpeg", "-v", "error", "-nostdin", "-y", "-i", (tmp / "click.wav").string()};
    command.insert(command.end(), spoken.encode.begin(), spoken.encode.end());
    command.push_back(speech.string());
    run_or_throw(command);

    auto options = quick(out);
    options.insert(options.end(), {"--sync", "silence"});
    ASSERT_TRUE(dubs(source, speech, out, options));
    const double in_speech = find_click(decode_sound(speech)).seconds - start_seconds(probe(speech));
    if (spoken.knows_its_delay) EXPECT_NEAR(in_speech, kFlash, kTolerance) << "the judge itself is off";
    const double wanted = start_seconds(probe(source)) + in_speech - find_flash(source);
    EXPECT_NEAR(click_after_flash(out), wanted, kTolerance);
}

INSTANTIATE_TEST_SUITE_P(
    Speech, SpeechFiles,
    testing::Combine(testing::Values(Spoken{"wav", "speech.wav", {}}, Spoken{"aac_mp4", "speech.mp4", {"-c:a", "aac"}},
                                     Spoken{"aac_adts", "speech.aac", {"-c:a", "aac"}, false},
                                     Spoken{"mp3", "speech.mp3", {"-c:a", "libmp3lame"}},
                                     Spoken{"opus", "speech.opus", {"-c:a", "libopus"}},
                                     Spoken{"vorbis", "speech.ogg", {"-c:a", "libvorbis"}, false},
                                     Spoken{"flac", "speech.flac", {"-c:a", "flac"}},
                                     Spoken{"late_mkv", "speech.mkv", {"-c:a", "flac", "-output_ts_offset", "3.25"}},
                                     Spoken{"aac_ts", "speech.ts", {"-c:a", "aac"}, false}),
                     testing::Values("mp4", "mkv")),
    [](const auto& info) { return std::string(std::get<0>(info.param).label) + "_into_" + std::get<1>(info.param); });

TEST(AvSync, ALateTimelineTakesTheSpeechWithIt) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", click_track(48000, 2.2, kFlash), 48000);
    for (const char* extension : {"mp4", "mkv", "mov"}) {
        const auto source = tmp / (std::string("source.") + extension);
        const auto out = tmp / (std::string("out.") + extension);
        make_flash_video(source, 4);
        ASSERT_TRUE(dubs(source, tmp / "speech.wav", out, {"--sync", "silence", "--preset", "ultrafast"}));
        EXPECT_NEAR(find_flash(out), find_flash(source), 1e-6) << extension;
        const double wanted = start_seconds(probe(source)) + kFlash - find_flash(source);
        EXPECT_NEAR(click_after_flash(out), wanted, kTolerance) << extension;
    }
}

TEST(AvSync, SoundInAContainerThatCannotHoldItIsRefused) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", click_track(48000, 2.2, kFlash), 48000);
    make_flash_video(tmp / "source.webm", 0);
    const auto result = dub(tmp / "source.webm", tmp / "speech.wav", tmp / "out.webm", {"--audio-out", "aac"});
    EXPECT_TRUE(failed_with(result, 64));
    EXPECT_FALSE(fs::exists(tmp / "out.webm"));
}

}  // namespace
}  // namespace omnisync::test
