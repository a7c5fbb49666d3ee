#include "omnisync/probe.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "omnisync/error.h"
#include "omnisync/media.h"
#include "support/corpus.h"
#include "support/paths.h"
#include "support/probe.h"

namespace omnisync::test {
namespace {

bool has(const std::vector<std::string>& list, const std::string& word) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::string value_of(const Tags& tags, const std::string& key) {
    for (const auto& [name, value] : tags)
        if (name == key) return value;
    return "(absent)";
}

Frame at(std::int64_t ticks) {
    Frame frame;
    frame.pts = {ticks, {1, 1000}};
    frame.duration = 40;
    return frame;
}

TEST(Probe, TellsEveryStreamOfAFullFile) {
    const MediaProbe found = probe_media(make("everything").string());
    EXPECT_EQ(found.format, "matroska,webm");
    EXPECT_EQ(value_of(found.tags, "title"), "Everything");
    ASSERT_EQ(found.streams.size(), 5U);
    EXPECT_EQ(found.video, 0);
    EXPECT_EQ(found.audio, 1);
    const StreamProbe& dialogue = found.streams[1];
    EXPECT_EQ(dialogue.kind, "audio");
    EXPECT_EQ(dialogue.codec, "opus");
    EXPECT_EQ(dialogue.language, "eng");
    EXPECT_EQ(dialogue.title, "Dialogue");
    EXPECT_EQ(dialogue.rate_hz, 48000);
    EXPECT_TRUE(has(dialogue.disposition, "default"));
    EXPECT_EQ(dialogue.priming_samples, 312);
    EXPECT_EQ(found.streams[2].bits, 16);
    EXPECT_TRUE(has(found.streams[2].disposition, "comment"));
    EXPECT_EQ(found.streams[3].kind, "subtitle");
    EXPECT_EQ(found.streams[3].language, "deu");
    EXPECT_TRUE(has(found.streams[3].disposition, "forced"));
    EXPECT_EQ(found.streams[4].kind, "attachment");
    EXPECT_EQ(found.streams[4].payload_bytes, 17);
    EXPECT_EQ(value_of(found.streams[4].tags, "filename"), "font.ttf");
    ASSERT_EQ(found.chapters.size(), 2U);
    EXPECT_EQ(found.chapters[1].title, "Closing");
    EXPECT_DOUBLE_EQ(seconds(found.chapters[1].start), 0.9);
    EXPECT_DOUBLE_EQ(seconds(found.chapters[1].end), 2.0);
}

TEST(Probe, AgreesWithFfprobeOnTheWholeCorpus) {
    for (const Specimen& specimen : corpus()) {
        const auto file = make(specimen);
        const MediaProbe found = probe_media(file.string());
        const Json expected = probe(file);
        ASSERT_EQ(found.streams.size(), expected["streams"].size()) << specimen.name;
        EXPECT_EQ(found.format, expected["format"]["format_name"]) << specimen.name;
        EXPECT_EQ(found.chapters.size(), expected["chapters"].size()) << specimen.name;
        for (std::size_t i = 0; i < found.streams.size(); ++i) {
            const StreamProbe& stream = found.streams[i];
            const Json& judge = expected["streams"][i];
            SCOPED_TRACE(specimen.name + ", stream " + std::to_string(i));
            EXPECT_EQ(stream.kind, judge.value("codec_type", "unknown"));
            if (judge.contains("codec_name")) EXPECT_EQ(stream.codec, judge["codec_name"]);
            if (judge.contains("start_pts")) {
                ASSERT_TRUE(stream.start);
                EXPECT_EQ(stream.start->ticks, judge["start_pts"]);
            }
            EXPECT_EQ(stream.width, judge.value("width", 0));
            EXPECT_EQ(stream.height, judge.value("height", 0));
            EXPECT_EQ(stream.channels, judge.value("channels", 0));
            EXPECT_EQ(stream.tags.size(), judge.contains("tags") ? judge["tags"].size() : 0);
        }
    }
}

TEST(Probe, IgnoresThePictureOfAnAlbum) {
    const MediaProbe found = probe_media(make("cover_first").string());
    ASSERT_TRUE(found.video);
    const auto cover = std::find_if(found.streams.begin(), found.streams.end(),
                                    [](const StreamProbe& stream) { return has(stream.disposition, "attached_pic"); });
    ASSERT_NE(cover, found.streams.end());
    EXPECT_NE(*found.video, cover->index);
}

TEST(Probe, ReadsHdrMetadataFromTheFirstFrame) {
    for (const char* name : {"hdr10_hevc", "hdr10_hevc_mkv"}) {
        const auto video = open_video(make(name).string());
        const auto frame = video->next();
        ASSERT_TRUE(frame);
        const Hdr hdr = hdr_of(*frame);
        ASSERT_TRUE(hdr.mastering) << name;
        ASSERT_TRUE(hdr.light) << name;
        EXPECT_NEAR(hdr.mastering->red[0], 0.68, 1e-9);
        EXPECT_NEAR(hdr.mastering->green[1], 0.69, 1e-9);
        EXPECT_NEAR(hdr.mastering->blue[0], 0.15, 1e-9);
        EXPECT_NEAR(hdr.mastering->white[0], 0.3127, 1e-9);
        EXPECT_NEAR(hdr.mastering->max_luminance, 1000, 1e-9);
        EXPECT_NEAR(hdr.mastering->min_luminance, 0.005, 1e-9);
        EXPECT_EQ(hdr.light->max_cll, 1000U);
        EXPECT_EQ(hdr.light->max_fall, 400U);
    }
    const auto plain = open_video(make("plain").string());
    const Hdr none = hdr_of(*plain->next());
    EXPECT_FALSE(none.mastering);
    EXPECT_FALSE(none.light);
    EXPECT_FALSE(hdr_of(Frame{}).light) << "a frame that no reader made";
}

TEST(Probe, KnowsTheSoundsStartWithoutItsPriming) {
    const MediaProbe opus = probe_media(make("everything").string());
    ASSERT_TRUE(opus.audio_start_s);
    EXPECT_NEAR(*opus.audio_start_s, 0, 0.0011) << "Matroska writes the priming as a negative time, in milliseconds";
    const MediaProbe late = probe_media(make("late_sound").string());
    ASSERT_TRUE(late.audio_start_s);
    EXPECT_NEAR(*late.audio_start_s, 0.7, 0.03);
    EXPECT_FALSE(probe_media(make("no_sound").string()).audio_start_s);
}

TEST(Probe, NamesCodePoints) {
    EXPECT_EQ(primaries_name(9), "bt2020");
    EXPECT_EQ(transfer_name(16), "smpte2084");
    EXPECT_EQ(matrix_name(1), "bt709");
    EXPECT_EQ(matrix_name(2), "unspecified");
    EXPECT_EQ(primaries_name(200), "reserved");
    EXPECT_EQ(transfer_name(-1), "reserved");
}

TEST(Probe, SummarisesTimestampsInConstantMemory) {
    TimestampSummary times;
    EXPECT_TRUE(times.constant_rate());
    EXPECT_EQ(times.average_rate({1, 1000}), 0);
    for (const std::int64_t ticks : {-40, 0, 40, 81, 121}) times.add(at(ticks));
    EXPECT_EQ(times.frames(), 5);
    EXPECT_EQ(times.first(), -40);
    EXPECT_EQ(times.last(), 121);
    EXPECT_EQ(times.last_duration(), 40);
    EXPECT_TRUE(times.constant_rate()) << "a tick of rounding";
    EXPECT_NEAR(times.average_rate({1, 1000}), 4 / 0.161, 1e-9);
    times.add(at(201));
    EXPECT_FALSE(times.constant_rate());
    EXPECT_EQ(times.shortest_step(), 40);
    EXPECT_EQ(times.longest_step(), 80);
    ASSERT_EQ(times.common_steps(2).size(), 2U);
    EXPECT_EQ(times.common_steps(1)[0], (std::pair<std::int64_t, std::int64_t>{40, 3}));

    TimestampSummary wild;
    std::int64_t ticks = 0;
    for (int i = 1; i < 5000; ++i) wild.add(at(ticks += i));
    EXPECT_EQ(wild.longest_step(), 4999);
    EXPECT_LE(wild.common_steps(100000).size(), 256U);
}

TEST(Probe, ForecastsWhatDubWouldWrite) {
    const auto forecast = [](const std::string& name) { return forecast_dub(open_video(make(name).string())->info()); };
    const DubForecast plain = forecast("plain");
    EXPECT_EQ(plain.container, "mp4");
    EXPECT_EQ(plain.video_encoder.substr(0, 7), "libx264");
    EXPECT_TRUE(plain.changes.empty());
    EXPECT_EQ(plain.obstacle, "");
    EXPECT_EQ(forecast("vp9").container, "webm");
    const TempDir folder;
    const auto forecast_as = [&](const std::string& name) {
        std::filesystem::copy_file(make("plain"), folder / name);
        return forecast_dub(open_video((folder / name).string())->info());
    };
    EXPECT_EQ(forecast_as("a.webm").changes.size(), 1U) << "WebM does not take H.264";
    EXPECT_NE(forecast_as("a.wav").obstacle.find("wav"), std::string::npos);
}

TEST(Probe, RefusesWhatIsNotMedia) {
    const TempDir folder;
    write_bytes(folder / "text.mp4", "this is not a film");
    const auto code_of = [](const std::string& path) {
        try {
            (void)probe_media(path);
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::done;
    };
    EXPECT_EQ(code_of((folder / "text.mp4").string()), ExitCode::bad_data);
    EXPECT_EQ(code_of((folder / "missing.mp4").string()), ExitCode::no_input);
    EXPECT_EQ(code_of(folder.path().string()), ExitCode::no_input);
}

}  // namespace
}  // namespace omnisync::test
