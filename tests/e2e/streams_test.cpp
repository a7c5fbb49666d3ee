// What the command must only pass through: streams, tags, chapters, colour, shape of the picture, file names.
#include <gtest/gtest.h>

#include <set>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"
#include "support/verdicts.h"

namespace omnisync::test {
namespace {

class Streams : public testing::TestWithParam<Specimen> {
protected:
    void SetUp() override { write_wav(tmp_ / "speech.wav", busy_track(48000, 12000), 48000); }

    TempDir tmp_;
};

TEST_P(Streams, ComeThroughTheDefaultRun) {
    const auto& what = GetParam();
    const auto source = make(what);
    const auto out = tmp_ / ("out" + what.out_extension);
    ASSERT_TRUE(dubs(source, tmp_ / "speech.wav", out, {"--sync", "silence"}));
    const auto before = probe(source);
    const auto after = probe(out);
    if (what.extension == what.out_extension) {
        EXPECT_EQ(before["format"].value("format_name", ""), after["format"].value("format_name", ""));
    }
    EXPECT_TRUE(same_timestamps(decode_pictures(source), decode_pictures(out), what.time));
    EXPECT_EQ(picture_stream(before).value("codec_name", ""), picture_stream(after).value("codec_name", ""));
    EXPECT_TRUE(same_picture_description(source, out));
    EXPECT_TRUE(same_other_streams(source, out));
    EXPECT_TRUE(same_tags_and_chapters(source, out));
    if (what.lossless != Lossless::converted) {
        // Against gross faults only: what "transparent" means is measured in benchmarks/transparency.sh.
        EXPECT_GT(luma_psnr(source, out), 34);
    }
}

TEST_P(Streams, ComeThroughACopiedPictureUntouched) {
    const auto& what = GetParam();
    const auto source = make(what);
    const auto out = tmp_ / ("out" + what.out_extension);
    ASSERT_TRUE(dubs(source, tmp_ / "speech.wav", out, {"--sync", "silence", "--video-codec", "copy"}));
    const auto before = decode_pictures(source);
    const auto after = decode_pictures(out);
    EXPECT_TRUE(same_timestamps(before, after, what.time));
    EXPECT_TRUE(same_pictures(before, after));
    EXPECT_TRUE(same_picture_description(source, out));
    EXPECT_TRUE(same_other_streams(source, out));
}

INSTANTIATE_TEST_SUITE_P(Corpus, Streams, testing::ValuesIn(corpus()),
                         [](const auto& info) { return info.param.name; });

struct OddName {
    const char* label;
    const char* stem;
};

void PrintTo(const OddName& name, std::ostream* stream) {
    *stream << name.label;
}

class OddNames : public testing::TestWithParam<OddName> {};

TEST_P(OddNames, AreJustNames) {
    const TempDir tmp;
    const std::string stem = GetParam().stem;
    fs::copy_file(make("plain"), tmp / (stem + ".mp4"));
    write_wav(tmp / (stem + ".wav"), busy_track(16000, 16000), 16000);
    const std::string out = stem + " out.mp4";

    ProcessOptions inside;
    inside.folder = tmp.path();
    // Relative names on purpose: they are what a leading dash or a protocol prefix would turn into something else.
    const auto result = run({command_path(), "dub", "--engine", "none", "--preset", "ultrafast", "--output=" + out,
                             "--", stem + ".mp4", stem + ".wav"},
                            inside);
    ASSERT_TRUE(result.ok()) << result.summary();
    const auto names = names_in(tmp.path());
    EXPECT_EQ(names.size(), 3U);
    ASSERT_TRUE(fs::exists(tmp / out));
    EXPECT_EQ(decode_pictures(tmp / out).pts.size(), 25U) << "cut to the speech of one second";
}

INSTANTIATE_TEST_SUITE_P(Names, OddNames,
                         testing::Values(OddName{"spaces", "my clip  final"}, OddName{"quotes", "it's \"it\""},
                                         OddName{"newline", "two\nlines"}, OddName{"percent", "100%d %03d"},
                                         OddName{"dash", "-i"}, OddName{"colon", "http:clip"},
                                         OddName{"pipe", "pipe:1"}, OddName{"not_utf8", "caf\xe9 \xff"},
                                         OddName{"unicode", "\xe5\x8f\xa3\xe5\x9e\x8b"}, OddName{"backslash", "a\\b"},
                                         OddName{"brackets", "[x]*?{1,2}"}),
                         [](const auto& info) { return info.param.label; });

TEST(Sounds, TheSecondTrackCanBeTheOneReplaced) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(48000, 96000), 48000);
    const auto source = make("everything");
    ASSERT_TRUE(dubs(source, tmp / "speech.wav", tmp / "out.mkv",
                     {"--sync", "silence", "--audio-track", "1", "--preset", "ultrafast"}));
    EXPECT_TRUE(same_other_streams(source, tmp / "out.mkv", 1));
}

TEST(Sounds, TheOriginalCanStayUnderTheSpeech) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", std::vector<float>(96000, 0.0F), 48000);
    const auto source = make("prores_422");
    ASSERT_TRUE(dubs(source, tmp / "speech.wav", tmp / "out.mov",
                     {"--sync", "silence", "--keep-audio", "-6", "--audio-out", "pcm_s16le", "--video-codec", "copy"}));
    const auto original = decode_sound(source);
    const auto mixed = decode_sound(tmp / "out.mov");
    ASSERT_EQ(mixed.rate_hz, 48000);
    double energy = 0, wanted = 0;
    for (size_t i = 4800; i < 43200; ++i) {
        energy += mixed.samples.at(i) * mixed.samples.at(i);
        wanted += original.samples.at(i) * original.samples.at(i);
    }
    EXPECT_NEAR(10 * std::log10(energy / wanted), -6, 0.1);
}

TEST(Containers, ThatAreOnlyReadAreRefusedAsOutputs) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(48000, 48000), 48000);
    for (const auto& what : corpus()) {
        if (what.extension == what.out_extension) continue;
        EXPECT_TRUE(
            failed_with(dub(make(what), tmp / "speech.wav", tmp / ("out" + what.extension)), 64, what.extension));
    }
    EXPECT_EQ(names_in(tmp.path()).size(), 1U);
}

TEST(Sounds, ATrackThatIsNotThereIsAUsageError) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(48000, 48000), 48000);
    const auto result = dub(make("plain"), tmp / "speech.wav", tmp / "out.mp4", {"--audio-track", "7"});
    EXPECT_TRUE(ended_properly(result));
    EXPECT_NE(result.exit_code, 0);
    EXPECT_FALSE(fs::exists(tmp / "out.mp4"));
}

}  // namespace
}  // namespace omnisync::test
