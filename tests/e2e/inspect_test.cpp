// `omnisync inspect` against what ffprobe says.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

ProcessResult inspect(const fs::path& file, const Words& extra = {}) {
    Words command{command_path(), "inspect", file.string()};
    command.insert(command.end(), extra.begin(), extra.end());
    return run(command);
}

Json inspected(const fs::path& file, const Words& extra = {}) {
    Words words{"--json", "--quiet"};
    words.insert(words.end(), extra.begin(), extra.end());
    const auto result = inspect(file, words);
    EXPECT_TRUE(result.ok()) << file << ": " << result.summary();
    return result.ok() ? Json::parse(result.out) : Json();
}

TEST(Inspect, CountsFramesAndTimestampsAsFfprobeDoes) {
    for (const char* name : {"plain", "vfr_jitter", "film_23_976", "fps_120", "one_frame", "mpeg2_interlaced",
                             "late_picture", "everything", "edit_list", "open_gop_b_frames", "av1", "ffv1"}) {
        SCOPED_TRACE(name);
        const auto file = make(name);
        const Json found = inspected(file);
        const Json stream = picture_stream(probe(file));
        const Json frames = probe_frames(file, stream["index"]);
        ASSERT_FALSE(frames.empty());
        const Json& times = found["timestamps"];
        EXPECT_EQ(times["frames"], frames.size());
        EXPECT_EQ(times["first"], frames.front()["best_effort_timestamp"]);
        EXPECT_EQ(times["last"], frames.back()["best_effort_timestamp"]);
        EXPECT_EQ(times["time_base"], stream["time_base"]);
        EXPECT_EQ(found["read"]["frames"], frames.size());
        EXPECT_EQ(found["read"]["ends_early"], false);
        EXPECT_EQ(found["streams"].size(), probe(file)["streams"].size());
        EXPECT_EQ(found["video"]["width"], stream["width"]);
        EXPECT_EQ(found["shots"].size(), 1U);
        EXPECT_EQ(found["shots"][0]["frames"], frames.size());
    }
}

TEST(Inspect, TellsConstantFromVariableRates) {
    EXPECT_EQ(inspected(make("ntsc_59_94"))["timestamps"]["constant_rate"], true) << "milliseconds round";
    const Json times = inspected(make("vfr_jitter"))["timestamps"];
    EXPECT_EQ(times["constant_rate"], false);
    EXPECT_LT(times["shortest_step"], times["longest_step"]);
    EXPECT_NEAR(inspected(make("film_23_976"))["timestamps"]["average_rate"].get<double>(), 24000.0 / 1001, 1e-3);
}

TEST(Inspect, TellsColourHdrOrientationAndFields) {
    const Json hdr = inspected(make("hdr10_hevc"))["video"];
    EXPECT_EQ(hdr["bits"], 10);
    EXPECT_EQ(hdr["colour"]["primaries"], 9);
    EXPECT_EQ(hdr["colour"]["transfer_name"], "smpte2084");
    EXPECT_EQ(hdr["colour"]["range"], "limited");
    EXPECT_EQ(hdr["hdr"]["max_cll"], 1000);
    EXPECT_EQ(hdr["hdr"]["max_fall"], 400);
    EXPECT_NEAR(hdr["hdr"]["mastering_display"]["white"][1].get<double>(), 0.329, 1e-6);
    const Json turned = inspected(make("rotated_90"))["video"];
    EXPECT_EQ(turned["rotation"], 90);
    EXPECT_EQ(turned["display_width"], 120);
    EXPECT_EQ(turned["display_height"], 160);
    EXPECT_EQ(turned["hdr"], nullptr);
    EXPECT_EQ(inspected(make("mirrored"))["video"]["mirrored"], true);
    EXPECT_EQ(inspected(make("mpeg2_interlaced"))["video"]["field_order"], "top_first");
    EXPECT_EQ(inspected(make("wide_pixels"))["video"]["sample_aspect"], "16/11");
}

TEST(Inspect, TellsHowThePictureStandsAgainstTheSound) {
    EXPECT_NEAR(inspected(make("late_picture"))["video"]["behind_sound_s"].get<double>(), 0.7, 0.03);
    EXPECT_NEAR(inspected(make("late_sound"))["video"]["behind_sound_s"].get<double>(), -0.7, 0.03);
    EXPECT_NEAR(inspected(make("plain"))["video"]["behind_sound_s"].get<double>(), 0, 0.001);
    EXPECT_EQ(inspected(make("no_sound"))["video"]["behind_sound_s"], nullptr);
}

TEST(Inspect, SaysItAllToPeople) {
    const auto result = inspect(make("everything"));
    ASSERT_TRUE(result.ok()) << result.summary();
    for (const char* words :
         {"Matroska", "title: Everything", "opus", "\"Dialogue\"", "font.ttf", "\"Closing\"", "160x120", "50 decoded",
          "25.000 nominal", "constant", "damage       none", "end          whole", "would write matroska with libx264"})
        EXPECT_NE(result.out.find(words), std::string::npos) << words << " is not in\n" << result.out;
    EXPECT_EQ(inspect(make("plain"), {"--quiet"}).out, "");
}

TEST(Inspect, FastReadsOnlyTheBeginning) {
    const Json found = inspected(make("hdr10_hevc"), {"--fast"});
    EXPECT_EQ(found["timestamps"], nullptr);
    EXPECT_EQ(found["shots"], nullptr);
    EXPECT_EQ(found["read"], nullptr);
    EXPECT_EQ(found["video"]["hdr"]["max_cll"], 1000);
    EXPECT_EQ(found["streams"].size(), 2U);
    EXPECT_EQ(found["dub"]["container"], "mp4");
}

TEST(Inspect, FindsTheShotsOfAFilm) {
    const TempDir folder;
    const auto film = folder / "film.mp4";
    run_or_throw({"ffmpeg",
                  "-v",
                  "error",
                  "-nostdin",
                  "-f",
                  "lavfi",
                  "-i",
                  "testsrc=s=320x180:r=25:d=1",
                  "-f",
                  "lavfi",
                  "-i",
                  "smptebars=s=320x180:r=25:d=1",
                  "-f",
                  "lavfi",
                  "-i",
                  "mandelbrot=s=320x180:r=25",
                  "-filter_complex",
                  "[2:v]trim=duration=1[m];[0:v][1:v][m]concat=n=3:v=1,format=yuv420p",
                  "-c:v",
                  "libx264",
                  "-preset",
                  "ultrafast",
                  film.string()});
    const Json shots = inspected(film)["shots"];
    ASSERT_EQ(shots.size(), 3U) << shots;
    EXPECT_EQ(shots[0]["begins_with"], nullptr);
    for (std::size_t i = 1; i < 3; ++i) {
        EXPECT_EQ(shots[i]["first_frame"], 25 * i);
        EXPECT_EQ(shots[i]["begins_with"], "cut");
        EXPECT_DOUBLE_EQ(shots[i]["start_s"].get<double>(), static_cast<double>(i));
        EXPECT_EQ(shots[i]["start_s"], shots[i - 1]["end_s"]);
    }
}

TEST(Inspect, SeesDamageAndAnEarlyEnd) {
    const TempDir folder;
    std::string bytes = read_bytes(make("everything"));
    write_bytes(folder / "cut.mkv", bytes.substr(0, bytes.size() * 2 / 3));
    const Json cut = inspected(folder / "cut.mkv");
    EXPECT_EQ(cut["read"]["ends_early"], true);
    EXPECT_LT(cut["read"]["frames"], 50);
    EXPECT_NE(inspect(folder / "cut.mkv").out.find("stops before"), std::string::npos);
    EXPECT_TRUE(failed_with(inspect(folder / "cut.mkv", {"--strict", "--quiet"}), 65, "ends early"));
    bytes = read_bytes(make("ffv1"));  // its slices carry checksums
    for (std::size_t i = bytes.size() / 2; i < bytes.size() / 2 + 400; ++i) bytes[i] = static_cast<char>(~bytes[i]);
    write_bytes(folder / "hurt.mkv", bytes);
    const Json hurt = inspected(folder / "hurt.mkv")["read"];
    EXPECT_GT(hurt["damaged_frames"].get<int>() + hurt["lost_packets"].get<int>(), 0) << hurt;
    EXPECT_NE(hurt["first_problem"], nullptr);
}

TEST(Inspect, TakesSoundFilesToo) {
    const TempDir folder;
    run_or_throw(
        {"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=d=1:r=22050", "-ac", "2", (folder / "a.wav").string()});
    const Json found = inspected(folder / "a.wav");
    EXPECT_EQ(found["video"], nullptr);
    EXPECT_EQ(found["streams"][0]["sound"]["rate_hz"], 22050);
    EXPECT_EQ(found["streams"][0]["sound"]["channels"], 2);
    EXPECT_EQ(found["streams"][0]["sound"]["bits"], 16);
}

TEST(Inspect, FailsAsDocumented) {
    const TempDir folder;
    write_bytes(folder / "text.mp4", "this is not a film");
    EXPECT_TRUE(failed_with(inspect(folder / "missing.mp4"), 66, "missing.mp4"));
    EXPECT_TRUE(failed_with(inspect(folder / "text.mp4"), 65, "text.mp4"));
    EXPECT_TRUE(failed_with(inspect(folder.path()), 66, "folder"));
}

TEST(Inspect, MemoryDoesNotGrowWithLength) {
    const TempDir folder;
    const auto film = [&](const std::string& length) {
        const auto file = folder / (length + ".mp4");
        run_or_throw({"ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=" + length,
                      "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", file.string()});
        return inspect(file, {"--quiet", "--threads", "1"}).peak_rss_kib;
    };
    const long small = film("4");
    const long large = film("60");
    EXPECT_GT(small, 0);
    EXPECT_LE(static_cast<double>(large), 1.1 * static_cast<double>(small)) << small << " and " << large << " KiB";
}

}  // namespace
}  // namespace omnisync::test
