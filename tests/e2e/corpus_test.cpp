// The judge judged: the generated files are what their names say, and the two decoders we rely on agree.
#include "support/corpus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"
#include "support/verdicts.h"

namespace omnisync::test {
namespace {

Json picture_of(const std::string& name) {
    return picture_stream(probe(make(name)));
}

Json side_data_of(const Json& object, const std::string& kind) {
    const Json entries = object.value("side_data_list", Json::array());
    for (const auto& entry : entries) {
        if (entry.value("side_data_type", "") == kind) return entry;
    }
    return Json::object();
}

class Corpus : public testing::TestWithParam<Specimen> {};

TEST_P(Corpus, FfmpegAndFfprobeSeeTheSameFrames) {
    const auto file = make(GetParam());
    const auto pictures = decode_pictures(file);
    ASSERT_FALSE(pictures.pts.empty());
    const auto stream = picture_stream(probe(file));
    EXPECT_EQ(to_text(pictures.unit), stream.at("time_base").get<std::string>());
    std::vector<std::int64_t> pts;
    for (const auto& frame : probe_frames(file, stream.at("index"))) {
        pts.push_back(frame.value("best_effort_timestamp", std::int64_t{-1}));
    }
    EXPECT_EQ(pts, pictures.pts);
    EXPECT_EQ(std::set<std::string>(pictures.md5.begin(), pictures.md5.end()).size(), pictures.md5.size())
        << "every frame must differ from every other, or a swap would go unseen";
}

INSTANTIATE_TEST_SUITE_P(All, Corpus, testing::ValuesIn(corpus()), [](const auto& info) { return info.param.name; });

TEST(CorpusContent, VariableRateFilesHaveUnevenFrames) {
    for (const char* name : {"vfr_jitter", "vfr_dropped_frames"}) {
        const auto pictures = decode_pictures(make(name));
        std::set<std::int64_t> steps;
        for (size_t i = 1; i < pictures.pts.size(); ++i) steps.insert(pictures.pts[i] - pictures.pts[i - 1]);
        EXPECT_GT(steps.size(), 1U) << name;
    }
}

TEST(CorpusContent, RotatedFilesSaySo) {
    const auto rotation = [](const char* name) {
        return side_data_of(picture_of(name), "Display Matrix").value("rotation", 0);
    };
    EXPECT_EQ(std::abs(rotation("rotated_90")), 90);
    EXPECT_EQ(std::abs(rotation("rotated_180")), 180);
    EXPECT_EQ(rotation("rotated_270"), -rotation("rotated_90"));
    EXPECT_FALSE(side_data_of(picture_of("mirrored"), "Display Matrix").empty());
}

TEST(CorpusContent, HdrFilesCarryTheirSideDataAndTags) {
    for (const char* name : {"hdr10_hevc", "hdr10_hevc_mkv"}) {
        const auto stream = picture_of(name);
        EXPECT_EQ(stream.value("color_transfer", ""), "smpte2084") << name;
        EXPECT_EQ(stream.value("pix_fmt", ""), "yuv420p10le") << name;
        const auto frame = probe_first_frame(make(name), stream.at("index"));
        EXPECT_FALSE(side_data_of(frame, "Mastering display metadata").empty()) << name;
        EXPECT_FALSE(side_data_of(frame, "Content light level metadata").empty()) << name;
    }
}

TEST(CorpusContent, InterlacedFilesSaySo) {
    for (const char* name : {"interlaced_h264", "mpeg2_interlaced"}) {
        const auto stream = picture_of(name);
        EXPECT_EQ(probe_first_frame(make(name), stream.at("index")).value("interlaced_frame", 0), 1) << name;
    }
}

TEST(CorpusContent, TheFullMatroskaHoldsEveryKindOfStream) {
    const auto all = probe(make("everything"));
    EXPECT_EQ(streams_of(all, "audio").size(), 2U);
    EXPECT_EQ(streams_of(all, "subtitle").size(), 1U);
    EXPECT_EQ(streams_of(all, "attachment").size(), 1U);
    EXPECT_EQ(all.at("chapters").size(), 2U);
}

TEST(CorpusContent, CoverArtStandsBeforeThePicture) {
    const auto all = probe(make("cover_first"));
    EXPECT_EQ(all["streams"][0]["disposition"].value("attached_pic", 0), 1);
    EXPECT_NE(picture_stream(all).at("index").get<int>(), 0);
}

TEST(CorpusContent, StartsAreWhereTheyShouldBe) {
    EXPECT_NEAR(decode_pictures(make("late_picture")).pts.front() / 12800.0, 0.7, 0.03);
    EXPECT_NEAR(std::stod(streams_of(probe(make("late_sound")), "audio").at(0).value("start_time", "0")), 0.7, 0.03);
    EXPECT_NEAR(start_seconds(probe(make("late_both"))), 5, 0.03);
    EXPECT_LT(std::stod(probe(make("vp9"))["format"].value("start_time", "0")), 0) << "Opus in WebM starts before zero";
    EXPECT_EQ(decode_pictures(make("edit_list")).pts.front(), 0);
    EXPECT_LT(decode_pictures(make("edit_list")).pts.size(), 50U);
    EXPECT_LT(decode_pictures(make("clipped_start")).pts.size(), 50U);
}

TEST(CorpusContent, TheTransportStreamClockWraps) {
    bool wrapped = false;
    const auto file = make("clock_wraps");
    // 2^33 ticks of 90 kHz: the demuxer goes on counting upward, or starts below zero.
    for (const auto pts : decode_pictures(file).pts) wrapped = wrapped || pts < 0 || pts >= (std::int64_t{1} << 33);
    EXPECT_TRUE(wrapped);
}

TEST(Judge, FindsAClickToTheSampleAndAFlashToTheFrame) {
    const TempDir tmp;
    write_wav(tmp / "click.wav", click_track(44100, 2, 0.75), 44100, 2);
    const auto click = find_click(decode_sound(tmp / "click.wav"));
    EXPECT_NEAR(click.seconds, 0.75, 1e-6);
    EXPECT_GT(click.match, 0.999);
}

TEST(Judge, SeesOneWrongTimestampAndOneWrongPicture) {
    auto good = decode_pictures(make("plain"));
    auto late = good;
    late.pts[7] += 1;
    auto torn = good;
    torn.md5[7][0] = torn.md5[7][0] == '0' ? '1' : '0';
    auto shorter = good;
    shorter.pts.pop_back();
    shorter.md5.pop_back();
    EXPECT_TRUE(same_timestamps(good, good, TimeRule::equal));
    EXPECT_FALSE(same_timestamps(good, late, TimeRule::equal));
    EXPECT_FALSE(same_timestamps(good, late, TimeRule::shifted));
    EXPECT_FALSE(same_timestamps(good, shorter, TimeRule::equal));
    EXPECT_FALSE(same_pictures(good, torn));
    EXPECT_FALSE(same_pictures(good, shorter));
}

TEST(Judge, SeesLostStreamsTagsChaptersAndColours) {
    const auto plain = make("plain");
    EXPECT_TRUE(same_other_streams(make("everything"), make("everything")));
    EXPECT_FALSE(same_other_streams(make("everything"), plain));
    EXPECT_TRUE(same_tags_and_chapters(make("everything"), make("everything")));
    EXPECT_FALSE(same_tags_and_chapters(make("everything"), plain));
    EXPECT_FALSE(same_picture_description(make("hdr10_hevc"), make("hevc_mov")));
    EXPECT_FALSE(same_picture_description(make("rotated_90"), plain));
}

}  // namespace
}  // namespace omnisync::test
