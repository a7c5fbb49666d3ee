// Every frame of every source comes out with its timestamp and, through a lossless encoder, with its samples.
#include <gtest/gtest.h>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"
#include "support/verdicts.h"

namespace omnisync::test {
namespace {

/// A speech shorter than any picture here: `--sync silence` must keep the whole picture all the same.
fs::path short_speech(const TempDir& tmp) {
    const auto file = tmp / "speech.wav";
    write_wav(file, busy_track(48000, 12000), 48000);
    return file;
}

class Timestamps : public testing::TestWithParam<Specimen> {};

TEST_P(Timestamps, AndSamplesSurviveALosslessRun) {
    const auto& what = GetParam();
    const TempDir tmp;
    const auto source = make(what);
    auto out = tmp / ("out" + what.out_extension);
    TimeRule rule = what.time;
    if (what.lossless == Lossless::elsewhere || what.lossless == Lossless::nowhere) {
        const auto refused = dub(source, short_speech(tmp), out, {"--sync", "silence", "--video-codec", "lossless"});
        EXPECT_TRUE(failed_with(refused, 64));
        EXPECT_FALSE(fs::exists(out));
        if (what.lossless == Lossless::nowhere) return;
        out = tmp / "out.mkv";
        rule = TimeRule::shifted;
    }
    ASSERT_TRUE(dubs(source, short_speech(tmp), out, {"--sync", "silence", "--video-codec", "lossless"}));
    const auto before = decode_pictures(source);
    const auto after = decode_pictures(out);
    EXPECT_TRUE(same_timestamps(before, after, rule));
    if (what.lossless == Lossless::converted) return;
    EXPECT_TRUE(same_pictures(before, after));
    EXPECT_EQ(picture_stream(probe(source)).value("pix_fmt", ""), picture_stream(probe(out)).value("pix_fmt", ""));
}

INSTANTIATE_TEST_SUITE_P(Corpus, Timestamps, testing::ValuesIn(corpus()),
                         [](const auto& info) { return info.param.name; });

/// The clips by number, so that the list of tests does not depend on what is there.
class Clips : public testing::TestWithParam<const char*> {};

TEST_P(Clips, KeepEveryTimestampAndEverySample) {
    const auto source = shared_file(std::string("video/") + GetParam());
    if (!source) GTEST_SKIP() << "no shared media beside the checkout";
    const TempDir tmp;
    const bool program_stream = source->extension() == ".mpg";
    const auto out = tmp / (program_stream ? "out.mkv" : "out" + source->extension().string());
    const auto sound = shared_file("speech/english_jfk.wav");
    ASSERT_TRUE(sound);
    ASSERT_TRUE(dubs(*source, *sound, out, {"--sync", "silence", "--video-codec", "lossless"}));
    const auto before = decode_pictures(*source);
    const auto after = decode_pictures(out);
    EXPECT_TRUE(same_timestamps(before, after, program_stream ? TimeRule::shifted : TimeRule::equal));
    EXPECT_TRUE(same_pictures(before, after));
    EXPECT_TRUE(same_other_streams(*source, out));
    if (!program_stream) EXPECT_TRUE(same_tags_and_chapters(*source, out));
}

TEST_P(Clips, KeepEveryTimestampInTheirOwnCodec) {
    const auto source = shared_file(std::string("video/") + GetParam());
    if (!source) GTEST_SKIP() << "no shared media beside the checkout";
    const TempDir tmp;
    const auto out = tmp / ("out" + source->extension().string());
    const auto sound = shared_file("speech/english_jfk.wav");
    ASSERT_TRUE(sound);
    const auto codec = picture_stream(probe(*source)).value("codec_name", "");
    std::vector<std::string> options{"--sync", "silence"};
    if (codec == "h264" || codec == "hevc") options.insert(options.end(), {"--preset", "ultrafast"});
    ASSERT_TRUE(dubs(*source, *sound, out, options));
    EXPECT_EQ(picture_stream(probe(out)).value("codec_name", ""), codec);
    EXPECT_TRUE(same_timestamps(decode_pictures(*source), decode_pictures(out),
                                source->extension() == ".mpg" ? TimeRule::shifted : TimeRule::equal));
    EXPECT_TRUE(same_picture_description(*source, out));
    EXPECT_TRUE(same_other_streams(*source, out));
    EXPECT_TRUE(same_tags_and_chapters(*source, out));
}

TEST_P(Clips, PassThroughACopiedPicture) {
    const auto source = shared_file(std::string("video/") + GetParam());
    if (!source) GTEST_SKIP() << "no shared media beside the checkout";
    const TempDir tmp;
    const auto out = tmp / ("out" + source->extension().string());
    const auto sound = shared_file("speech/english_jfk.wav");
    ASSERT_TRUE(sound);
    ASSERT_TRUE(dubs(*source, *sound, out, {"--sync", "silence", "--video-codec", "copy"}));
    const auto before = decode_pictures(*source);
    const auto after = decode_pictures(out);
    EXPECT_TRUE(same_timestamps(before, after, source->extension() == ".mpg" ? TimeRule::shifted : TimeRule::equal));
    EXPECT_TRUE(same_pictures(before, after));
}

constexpr const char* kClips[] = {
    "anime_silent_25fps.mp4",     "cartoon_3d_undetected_25fps.mp4", "generated_fast_motion_24fps.mp4",
    "generated_person_24fps.mp4", "glasses_fringe_25fps.mp4",        "grid_lwbsza_mpeg1.mpg",
    "grid_swiz3n_mpeg1.mpg",      "hard_cuts_no_face_29.97fps.mp4",  "illustration_silent_mpeg4.mp4",
    "portrait_hd_hevc_25fps.mp4", "small_face_hands_hevc_30fps.mp4", "three_quarter_22.13fps.mp4",
    "two_faces_turns_24fps.mp4"};

INSTANTIATE_TEST_SUITE_P(Shared, Clips, testing::ValuesIn(kClips), [](const auto& info) {
    std::string name = std::string(info.param).substr(0, std::string(info.param).find_last_of('.'));
    for (auto& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
});

}  // namespace
}  // namespace omnisync::test
