// `omnisync compare`: its figures against those of ffmpeg's filters, its pictures, its exit codes.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <regex>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

ProcessResult compare(const fs::path& a, const fs::path& b, const Words& extra = {}) {
    Words command{command_path(), "compare", a.string(), b.string()};
    command.insert(command.end(), extra.begin(), extra.end());
    return run(command);
}

Json compared(const fs::path& a, const fs::path& b, const Words& extra = {}) {
    Words words{"--json", "--quiet"};
    words.insert(words.end(), extra.begin(), extra.end());
    const auto result = compare(a, b, words);
    EXPECT_TRUE(result.ok()) << result.summary();
    return result.ok() ? Json::parse(result.out) : Json();
}

void ffmpeg(const Words& arguments) {
    Words command{"ffmpeg", "-v", "error", "-nostdin", "-y"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    run_or_throw(command);
}

/// A figure that one of ffmpeg's comparing filters prints at its end: "y:39.72" by the name "y".
double figure(const fs::path& a, const fs::path& b, const std::string& filter, const std::string& name) {
    const auto result = run_or_throw(
        {"ffmpeg", "-nostdin", "-i", media_path(b), "-i", media_path(a), "-lavfi", filter, "-an", "-f", "null", "-"});
    std::smatch match;
    const std::regex pattern(" " + name + ":([0-9.]+)");
    if (!std::regex_search(result.err, match, pattern)) throw std::runtime_error("no " + name + " in " + result.err);
    return std::stod(match[1]);
}

struct Rgb {
    int width = 0;
    int height = 0;
    std::string bytes;
    [[nodiscard]] double mean(int left, int right) const {
        double sum = 0;
        for (int y = 0; y < height; ++y)
            for (int x = left * 3; x < right * 3; ++x)
                sum += static_cast<unsigned char>(bytes[static_cast<std::size_t>(y * width * 3 + x)]);
        return sum / (3.0 * height * (right - left));
    }
};

Rgb decode(const fs::path& file, const Words& filter = {}) {
    const Json stream = picture_stream(probe(file));
    Words command{"ffmpeg", "-v", "error", "-nostdin", "-i", media_path(file)};
    command.insert(command.end(), filter.begin(), filter.end());
    for (const char* word : {"-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"}) command.emplace_back(word);
    return {stream["width"], stream["height"], run_or_throw(command).out};
}

class Compare : public testing::Test {
protected:
    /// A worse copy of a corpus file with the same timestamps.
    fs::path worse(const std::string& name, const std::string& extension, const Words& options = {}) {
        const fs::path file = folder_ / ("worse_" + name + extension);
        Words words{"-i", make(name).string(), "-an",      "-fps_mode", "passthrough", "-c:v", "libx264", "-crf",
                    "35", "-preset",           "ultrafast"};
        words.insert(words.end(), options.begin(), options.end());
        words.push_back(file.string());
        ffmpeg(words);
        return file;
    }
    TempDir folder_;
};

TEST_F(Compare, AFileEqualsItself) {
    for (const char* name : {"plain", "vfr_jitter", "hdr10_hevc", "rotated_90", "grey", "prores_4444_alpha", "ffv1",
                             "odd_size_vp9", "mpeg2_interlaced", "mjpeg"}) {
        const auto file = make(name);
        const Json found = compared(file, file, {"--require-equal", "--require-psnr", "100"});
        EXPECT_EQ(found["equal"], true) << name;
        EXPECT_GT(found["frames"], 0) << name;
        EXPECT_EQ(found["identical"], found["frames"]) << name;
        EXPECT_EQ(found["same_timestamp"], found["frames"]) << name;
        EXPECT_EQ(found["psnr_db"], nullptr) << "infinite";
        EXPECT_EQ(found["ssim"], 1.0) << name;
        EXPECT_EQ(found["largest_difference"], 0) << name;
        EXPECT_EQ(found["worst"], nullptr) << name;
        EXPECT_TRUE(found["notes"].empty()) << found["notes"];
    }
}

TEST_F(Compare, FiguresAreThoseOfFfmpegsFilters) {
    struct Case {
        const char* name;
        Words options;
    };
    for (const Case& sample :
         {Case{"plain", {}}, Case{"yuv422_10bit", {"-pix_fmt", "yuv422p10le"}},
          Case{"odd_size_h264_444", {"-pix_fmt", "yuv444p"}}, Case{"vfr_jitter", {"-enc_time_base", "1/90000"}}}) {
        SCOPED_TRACE(sample.name);
        const auto a = make(sample.name);
        const auto b = worse(sample.name, ".mkv", sample.options);
        const Json found = compared(a, b);
        ASSERT_GT(found["frames"], 20);
        EXPECT_EQ(found["only_in_a"], 0);
        EXPECT_EQ(found["only_in_b"], 0);
        const std::string by_order = "[0:v]settb=1/1000,setpts=N[a];[1:v]settb=1/1000,setpts=N[b];[a][b]";
        for (const char* plane : {"y", "u", "v"})
            EXPECT_NEAR(found["psnr_planes_db"][plane].get<double>(), figure(a, b, by_order + "psnr", plane), 1e-3);
        EXPECT_NEAR(found["psnr_db"].get<double>(), figure(a, b, by_order + "psnr", "average"), 1e-3);
        EXPECT_NEAR(found["worst"]["psnr_db"].get<double>(), figure(a, b, by_order + "psnr", "min"), 1e-3);
        EXPECT_NEAR(found["ssim"].get<double>(), figure(a, b, by_order + "ssim", "Y"), 1e-4);
        EXPECT_LE(found["worst_ssim"]["ssim"], found["ssim"]);
    }
}

TEST_F(Compare, MissingAndExtraTimestampsAreTold) {
    const auto a = make("plain");
    const auto b = folder_ / "holes.mp4";
    ffmpeg({"-i", a.string(), "-an", "-vf", "select='not(between(n,10,12))'", "-fps_mode", "passthrough", "-c:v",
            "libx264", "-qp", "0", "-preset", "ultrafast", "-video_track_timescale", "12800", b.string()});
    const Json found = compared(a, b);
    EXPECT_EQ(found["frames"], 47);
    EXPECT_EQ(found["identical"], 47);
    EXPECT_EQ(found["only_in_a"], 3);
    EXPECT_EQ(found["first_only_in_a_s"], (Json{0.4, 0.44, 0.48}));
    EXPECT_EQ(found["equal"], false);
    EXPECT_EQ(compared(b, a)["only_in_b"], 3);
    EXPECT_TRUE(compare(a, b, {"--require-psnr", "50", "--quiet"}).ok()) << "what is in both is equal";
    const auto refused = compare(a, b, {"--require-equal", "--quiet"});
    EXPECT_TRUE(failed_with(refused, 65, "not equal"));
}

TEST_F(Compare, DemandsFailWithOneLineAfterTheFigures) {
    const auto a = make("plain");
    const auto b = worse("plain", ".mp4");
    EXPECT_TRUE(compare(a, b).ok()) << "a difference alone is no failure";
    EXPECT_TRUE(compare(a, b, {"--require-psnr", "15"}).ok());
    const auto refused = compare(a, b, {"--require-psnr", "60", "--json"});
    EXPECT_EQ(refused.exit_code, 65);
    EXPECT_NE(refused.err.find("below the 60.00 dB"), std::string::npos) << refused.err;
    EXPECT_EQ(Json::parse(refused.out)["frames"], 50) << "the figures are there all the same";
}

TEST_F(Compare, MillisecondContainersAreMatched) {
    const auto a = make("film_23_976");
    const auto b = folder_ / "copy.mkv";
    ffmpeg({"-i", a.string(), "-c", "copy", "-avoid_negative_ts", "disabled", b.string()});
    const Json found = compared(a, b);
    EXPECT_EQ(found["only_in_a"], 0) << found;
    EXPECT_EQ(found["identical"], found["frames"]);
    EXPECT_LT(found["same_timestamp"], found["frames"]) << "they are rounded";
    EXPECT_EQ(found["equal"], true);
}

TEST_F(Compare, ClocksThatBeginAnywhereAreAligned) {
    const auto a = make("plain");
    const auto b = folder_ / "copy.ts";
    ffmpeg({"-i", a.string(), "-c", "copy", b.string()});
    const Json found = compared(a, b);
    EXPECT_EQ(found["equal"], true) << found;
    EXPECT_NE(found["notes"].dump().find("later than A's"), std::string::npos);
    EXPECT_EQ(compared(a, b, {"--align", "timestamps"})["equal"], false);
}

TEST_F(Compare, OtherSizesFormatsAndRatesAreBroughtTogetherAloud) {
    const auto a = make("plain");
    const auto b = folder_ / "other.mp4";
    ffmpeg({"-i", a.string(), "-an", "-vf", "fps=50,scale=320:240:flags=bicubic", "-pix_fmt", "yuv444p", "-c:v",
            "libx264", "-crf", "4", "-preset", "ultrafast", b.string()});
    const Json found = compared(a, b);
    EXPECT_EQ(found["frames"], 50);
    EXPECT_EQ(found["only_in_b"], 50);
    EXPECT_GT(found["psnr_db"], 25);
    const std::string notes = found["notes"].dump();
    for (const char* words : {"scaled to A's 160x120", "yuv444p", "25/1", "50/1"})
        EXPECT_NE(notes.find(words), std::string::npos) << words << " is not in " << notes;
}

TEST_F(Compare, TurnedPicturesAreComparedUpright) {
    const auto stored = make("rotated_90");
    const auto upright = folder_ / "upright.mp4";
    ffmpeg({"-i", stored.string(), "-an", "-c:v", "libx264", "-qp", "0", "-preset", "ultrafast", upright.string()});
    EXPECT_EQ(compared(stored, upright)["identical"], 25);
    EXPECT_EQ(compared(upright, stored)["identical"], 25);
    const auto sheet = folder_ / "sheet.png";
    ASSERT_TRUE(compare(stored, upright, {"-o", sheet.string(), "--columns", "4"}).ok());
    const Json picture = picture_stream(probe(sheet));
    EXPECT_LT(picture["width"].get<int>(), 4 * 260) << "cells stand upright";
}

TEST_F(Compare, ASideBySideVideoHasTheTimesOfTheFirst) {
    const auto a = make("vfr_jitter");
    const auto b = worse("vfr_jitter", ".mp4", {"-enc_time_base", "1/90000", "-video_track_timescale", "90000"});
    const auto out = folder_ / "side.mp4";
    const auto result = compare(a, b, {"-o", out.string()});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_NE(result.out.find("A left, B right"), std::string::npos);
    const Json stream = picture_stream(probe(out));
    EXPECT_EQ(stream["width"], 2 * 160 + 4);
    EXPECT_EQ(stream["height"], 120);
    EXPECT_EQ(decode_pictures(out).pts, decode_pictures(a).pts);
    EXPECT_EQ(decode_pictures(out).unit, decode_pictures(a).unit);
    const auto half = [&](const std::string& crop) {
        const auto file = folder_ / "half.mkv";
        ffmpeg({"-i", out.string(), "-vf", "crop=" + crop, "-fps_mode", "passthrough", "-c:v", "ffv1", file.string()});
        return file;
    };
    EXPECT_EQ(compared(a, out)["only_in_a"], 0);
    EXPECT_GT(compared(a, half("160:120:0:0"))["psnr_db"], 38) << "A is left";
    EXPECT_GT(compared(b, half("160:120:164:0"))["psnr_db"], 38) << "B is right";
}

TEST_F(Compare, ADifferenceVideoIsBlackWhereNothingDiffers) {
    const auto a = make("plain");
    const auto half = folder_ / "half.mkv";
    ffmpeg({"-i", a.string(), "-an", "-vf", "drawbox=x=80:w=80:h=120:t=fill:color=gray", "-c:v", "ffv1", "-pix_fmt",
            "yuv420p", half.string()});
    const auto out = folder_ / "difference.mkv";
    ASSERT_TRUE(compare(a, half, {"-o", out.string(), "--mode", "difference"}).ok());
    const Rgb picture = decode(out);
    EXPECT_EQ(picture.width, 160);
    EXPECT_LT(picture.mean(0, 78), 4);
    EXPECT_GT(picture.mean(82, 160), 100);
}

TEST_F(Compare, AContactSheetHasThreeRowsOfColumns) {
    const auto a = make("plain");
    const auto b = worse("plain", ".mp4");
    int narrow = 0;
    for (const int columns : {1, 3, 8}) {
        const auto sheet = folder_ / ("sheet" + std::to_string(columns) + ".png");
        ASSERT_TRUE(compare(a, b, {"-o", sheet.string(), "--columns", std::to_string(columns)}).ok());
        const Json picture = picture_stream(probe(sheet));
        if (columns == 1) narrow = picture["width"];
        EXPECT_EQ(picture["width"].get<int>(), narrow + (columns - 1) * (320 + 6)) << "cells of 320 pixels";
        EXPECT_GT(picture["height"].get<int>(), 3 * 240);
    }
    ASSERT_TRUE(compare(a, b, {"-o", (folder_ / "sheet.jpg").string()}).ok());
    EXPECT_EQ(picture_stream(probe(folder_ / "sheet.jpg"))["codec_name"], "mjpeg");
}

TEST_F(Compare, TheOutputObeysTheRulesOfDub) {
    const auto a = make("plain");
    const auto input = folder_ / "input.mp4";
    fs::copy_file(a, input);
    const std::string before = read_bytes(input);
    EXPECT_TRUE(failed_with(compare(a, input, {"-o", input.string(), "--force", "-q"}), 77, "is the input"));
    EXPECT_EQ(read_bytes(input), before);
    fs::create_symlink(input, folder_ / "link.png");
    EXPECT_TRUE(
        failed_with(compare(a, input, {"-o", (folder_ / "link.png").string(), "--force", "-q"}), 77, "is the input"));
    for (const char* name : {"there.png", "there.mkv"}) {
        const auto there = folder_ / name;
        write_bytes(there, "mine");
        EXPECT_TRUE(failed_with(compare(a, input, {"-o", there.string(), "-q"}), 73, "exists"));
        EXPECT_EQ(read_bytes(there), "mine");
        EXPECT_TRUE(compare(a, input, {"-o", there.string(), "--force", "-q"}).ok());
        EXPECT_GT(fs::file_size(there), 1000U);
    }
    EXPECT_TRUE(
        failed_with(compare(a, input, {"-o", (folder_ / "no/where.png").string(), "-q"}), 73, "does not exist"));
    EXPECT_TRUE(failed_with(compare(a, input, {"-o", (folder_ / "a.wav").string(), "-q"}), 64, "wav"));
    EXPECT_TRUE(failed_with(compare(a, folder_ / "missing.mp4", {"-q"}), 66, "missing.mp4"));
    EXPECT_EQ(names_in(folder_.path()), (Words{"input.mp4", "link.png", "there.mkv", "there.png"}))
        << "nothing is left";
}

}  // namespace
}  // namespace omnisync::test
