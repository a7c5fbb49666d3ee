// `omnisync eval`: what is done to a video moves the figure that is there for it, and more of it moves it further.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr int kBelowDemands = 76;  // docs/cli.md

class Eval : public testing::Test {
protected:
    static ProcessResult eval(Words words, const Words& extra = {}) {
        words.insert(words.begin(), {command_path(), "eval"});
        words.insert(words.end(), extra.begin(), extra.end());
        words.insert(words.end(), {"--quiet", "--json"});
        ProcessOptions options;
        options.limit = std::chrono::minutes(5);
        return run(words, options);
    }
    static Json document(const Words& words, const Words& extra = {}) {
        const auto done = eval(words, extra);
        EXPECT_TRUE(done.ok()) << done.summary();
        return done.ok() ? Json::parse(done.out) : Json();
    }
    static std::optional<double> value(const Json& document, const char* figure) {
        const Json& found = document.at("figures").at(figure).at("value");
        return found.is_null() ? std::nullopt : std::optional(found.get<double>());
    }
    /// The figure of the example, changed by ffmpeg's filters, against the example.
    double figure_of(const char* figure, const std::string& filters, const Words& coding = {"-qp", "0"}) {
        const std::string made = file("changed.mp4");
        Words words{"ffmpeg", "-v", "error", "-y", "-i", example("speaker.mp4"), "-vf", filters, "-c:v", "libx264"};
        words.insert(words.end(), coding.begin(), coding.end());
        words.insert(words.end(), {"-preset", "ultrafast", "-an", "-fps_mode", "passthrough", made});
        run_or_throw(words);
        return value(document({made, "--reference", example("speaker.mp4"), "--reference-analysis", file("ref.faces")}),
                     figure)
            .value_or(std::nan(""));
    }
    [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

    TempDir folder_;
};

/// Rising, each at least `least` further than the last.
void expect_rising(const std::vector<double>& values, double least = 1e-6) {
    for (std::size_t i = 1; i < values.size(); ++i)
        EXPECT_GT(values[i], values[i - 1] + least) << "step " << i << " of " << testing::PrintToString(values);
}

TEST_F(Eval, TheVideoItselfIsPerfect) {
    const Json found = document({example("speaker.mp4"), "--reference", example("speaker.mp4")});
    EXPECT_EQ(found["pictures"], 75);
    EXPECT_EQ(found["measured"], 75);
    EXPECT_EQ(value(found, "psnr_inside"), 100);
    EXPECT_EQ(value(found, "psnr_outside"), 100);
    for (const char* const one :
         {"ssim_inside", "ssim_outside", "sharpness", "flicker", "jitter", "opening_correlation", "face_likeness"})
        EXPECT_NEAR(value(found, one).value_or(0), 1, 1e-6) << one;
    for (const char* const nothing : {"seam", "lmd", "repeated", "missing", "frechet_own"})
        EXPECT_NEAR(value(found, nothing).value_or(1), 0, 1e-6) << nothing;
    EXPECT_TRUE(found["warnings"].empty()) << found["warnings"];
    EXPECT_TRUE(found["qa"].is_null());
}

TEST_F(Eval, BlurLowersSharpness) {
    expect_rising({figure_of("sharpness", "gblur=sigma=2"), figure_of("sharpness", "gblur=sigma=1"),
                   figure_of("sharpness", "gblur=sigma=0.5"), 1});
}

TEST_F(Eval, NoiseRaisesFlickerAndLowersPsnr) {
    const std::vector<std::string> noise{"noise=alls=8:allf=t:all_seed=1", "noise=alls=20:allf=t:all_seed=1",
                                         "noise=alls=40:allf=t:all_seed=1"};
    expect_rising({1, figure_of("flicker", noise[0]), figure_of("flicker", noise[1]), figure_of("flicker", noise[2])});
    expect_rising({figure_of("psnr_outside", noise[2]), figure_of("psnr_outside", noise[1]),
                   figure_of("psnr_outside", noise[0]), 100});
}

TEST_F(Eval, AnotherPersonLowersLikenessAndRaisesIdentityDistance) {
    const auto other = shared_file("video/glasses_fringe_25fps.mp4");
    if (!other) GTEST_SKIP() << "shared media is not here";
    std::vector<double> likeness, distance;
    for (const char* const until : {"0", "20", "45", "75"}) {
        const std::string made = file("swapped.mp4");
        run_or_throw({"ffmpeg",
                      "-v",
                      "error",
                      "-y",
                      "-i",
                      example("speaker.mp4"),
                      "-i",
                      other->string(),
                      "-filter_complex",
                      std::string("[1:v]crop=322:322:101:169,scale=160:160[b];[0:v][b]overlay=enable='lt(n,") + until +
                          ")':shortest=1",
                      "-c:v",
                      "libx264",
                      "-qp",
                      "0",
                      "-preset",
                      "ultrafast",
                      "-an",
                      "-t",
                      "3",
                      made});
        const Json found = document({made, "--reference", example("speaker.mp4")});
        likeness.push_back(-value(found, "face_likeness").value_or(std::nan("")));
        distance.push_back(value(found, "identity_distance").value_or(std::nan("")));
    }
    expect_rising(likeness, 0.02);
    if (std::isnan(distance[0])) GTEST_SKIP() << "dlib's identity network is not here: only likeness was looked at";
    expect_rising(distance, 0.02);
}

TEST_F(Eval, DroppedPicturesAreMissing) {
    expect_rising({0, figure_of("missing", "select='mod(n,15)'"), figure_of("missing", "select='mod(n,7)'"),
                   figure_of("missing", "select='mod(n,3)'")},
                  0.01);
}

TEST_F(Eval, RepeatedPicturesAreFound) {
    // Every so manieth picture is that before it once more, at its own time.
    const auto stutter = [](const char* every) {
        return std::string("select='mod(n,") + every + ")',fps=25:round=down";
    };
    expect_rising({0, figure_of("repeated", stutter("15")), figure_of("repeated", stutter("7")),
                   figure_of("repeated", stutter("3"))},
                  0.01);
}

TEST_F(Eval, AStepAtTheMouthIsASeam) {
    // A frame of another brightness round the lower face, whose edge is where no edit may end abruptly.
    const auto patch = [](const char* level) {
        return std::string("geq=lum='clip(lum(X,Y)+") + level +
               "*between(X,30,130)*between(Y,80,155),0,255)':cb='cb(X,Y)':cr='cr(X,Y)'";
    };
    expect_rising({figure_of("seam", "null"), figure_of("seam", patch("4")), figure_of("seam", patch("12")),
                   figure_of("seam", patch("30"))},
                  0.02);
}

TEST_F(Eval, DemandsDecideTheExitCode) {
    const Words words{example("speaker.mp4"), "--reference", example("speaker.mp4")};
    const auto good = eval(words, {"--qa", "default, sharpness>=0.9"});
    EXPECT_EQ(good.exit_code, 0) << good.summary();
    EXPECT_EQ(Json::parse(good.out)["qa"]["passed"], true);
    const auto bad = eval(words, {"--qa", "sharpness>=1.5,missing<=0"});
    EXPECT_EQ(bad.exit_code, kBelowDemands);
    const Json verdict = Json::parse(bad.out)["qa"];
    EXPECT_EQ(verdict["passed"], false);
    EXPECT_EQ(verdict["demands"][0]["passed"], false);
    EXPECT_EQ(verdict["demands"][1]["passed"], true);
    EXPECT_NE(bad.err.find("sharpness is 1.000, --qa demands sharpness>=1.5"), std::string::npos) << bad.err;
    EXPECT_EQ(eval(words, {"--qa", "follows>=0.1"}).exit_code, kBelowDemands) << "what cannot be measured fails";
    for (const char* const wrong :
         {"sharpnes>=1", "sharpness>1", "sharpness>=", "sharpness>=x", "sharpness", ",", "seam<=1,"})
        EXPECT_TRUE(failed_with(eval(words, {"--qa", wrong}), kUsage, "--qa")) << wrong;
}

TEST_F(Eval, EveryFigureCanBeDemanded) {
    const Json found = document({example("speaker.mp4")});
    std::string all;
    for (const auto& [name, figure] : found["figures"].items()) {
        all += (all.empty() ? "" : ",") + name + "<=1e9";
        EXPECT_EQ(figure["value"].is_null(), !figure["note"].is_null() && figure["value"].is_null()) << name;
        if (figure["value"].is_null())
            EXPECT_FALSE(figure["note"].is_null()) << name << " does not say why it is absent";
        EXPECT_NE(read_bytes(source_root() / "docs/metrics.md").find("`" + name + "`"), std::string::npos)
            << name << " is not in docs/metrics.md";
    }
    EXPECT_EQ(eval({example("speaker.mp4")}, {"--qa", all}).exit_code, kBelowDemands);
}

TEST_F(Eval, WritesAPageCurvesAndFeatures) {
    const Json found = document({example("speaker.mp4"), "--reference", example("speaker.mp4")},
                                {"--html", file("a.html"), "--curves", file("a.csv"), "--features", file("a.json")});
    EXPECT_NE(read_bytes(file("a.html")).find("face_likeness"), std::string::npos);
    std::istringstream lines(read_bytes(file("a.csv")));
    std::string head;
    std::getline(lines, head);
    EXPECT_EQ(head.find("picture,time_s,speech,opening,opening_reference,"), 0U) << head;
    EXPECT_EQ(line_count(read_bytes(file("a.csv"))), 76);
    EXPECT_EQ(Json::parse(read_bytes(file("a.json")))["mean"].size(), 36U);
    EXPECT_EQ(found["courses"]["opening"]["values"].size(), 75U);
    const auto again = eval({example("speaker.mp4")}, {"--html", file("a.html")});
    EXPECT_TRUE(failed_with(again, kCannotCreate, "a.html")) << "nothing is replaced unasked";
}

TEST_F(Eval, OtherSizesAndLengthsAreSaid) {
    run_or_throw({"ffmpeg", "-v", "error", "-i", example("speaker.mp4"), "-vf", "scale=240:240", "-t", "2", "-an",
                  file("large.mp4")});
    const Json found = document({file("large.mp4"), "--reference", example("speaker.mp4")});
    EXPECT_FALSE(value(found, "psnr_inside"));
    EXPECT_NE(found["figures"]["psnr_inside"]["note"].get<std::string>().find("240x240"), std::string::npos);
    EXPECT_LT(value(found, "lmd").value_or(9), 2) << "landmarks do not depend on the size";
    EXPECT_NE(found["figures"]["silence"]["note"].get<std::string>().find("no sound"), std::string::npos);
    EXPECT_NE(found["warnings"].dump().find("before or after"), std::string::npos) << found["warnings"];
}

TEST_F(Eval, AClockThatAMuxerMovedIsSeenThrough) {
    // Matroska keeps the priming of the sound before time zero: every picture is 64 ms later.
    run_or_throw({"ffmpeg", "-v", "error", "-i", example("speaker.mp4"), "-c", "copy", file("moved.mkv")});
    const Json found = document({file("moved.mkv"), "--reference", example("speaker.mp4")});
    EXPECT_EQ(value(found, "psnr_outside"), 100);
    EXPECT_NE(found["warnings"].dump().find("one moment"), std::string::npos) << found["warnings"];
}

TEST_F(Eval, AVideoWithoutAFaceHasFiguresOfItsPictures) {
    run_or_throw({"ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=320x240:duration=1", file("bars.mp4")});
    const Json found = document({file("bars.mp4"), "--reference", file("bars.mp4")});
    EXPECT_EQ(found["measured"], 0);
    EXPECT_EQ(value(found, "psnr_outside"), 100);
    EXPECT_FALSE(value(found, "sharpness"));
    EXPECT_NE(found["warnings"].dump().find("there is no face"), std::string::npos) << found["warnings"];
}

TEST_F(Eval, BadInputsEndInOneLine) {
    write_bytes(file("text.mp4"), "no video at all");
    EXPECT_TRUE(failed_with(eval({file("none.mp4")}), kNoInput, "none.mp4"));
    EXPECT_TRUE(failed_with(eval({file("text.mp4")}), kBadData, "text.mp4"));
    EXPECT_TRUE(failed_with(eval({example("speech.wav")}), kBadData, "no picture"));
    EXPECT_TRUE(failed_with(eval({example("speaker.mp4"), "--reference", file("none.mp4")}), kNoInput, "none.mp4"));
    EXPECT_TRUE(failed_with(eval({example("speaker.mp4"), "--speech", file("text.mp4")}), kBadData, "text.mp4"));
    EXPECT_TRUE(failed_with(eval({example("speaker.mp4"), "--niqe-model", file("text.mp4")}), kBadData, "features"));
    EXPECT_TRUE(failed_with(eval({example("speaker.mp4"), "--html", example("speaker.mp4")}), kNotAllowed));
    EXPECT_TRUE(failed_with(eval({}), kUsage));
}

TEST_F(Eval, ADubsReportLooksAtTheResult) {
    const std::string out = file("dub.mp4"), report = file("dub.json");
    ProcessOptions options;
    options.limit = std::chrono::minutes(5);
    const auto done = run({command_path(), "dub", example("speaker.mp4"), example("speech.wav"), "-o", out, "--report",
                           report, "--qa", "default,sharpness>=5", "--models", models().string(), "--quiet"},
                          options);
    EXPECT_EQ(done.exit_code, kBelowDemands) << done.summary();
    EXPECT_TRUE(fs::exists(out)) << "the output stays";
    EXPECT_EQ(line_count(done.err), 1) << done.err;
    const Json written = Json::parse(read_bytes(report));
    const Json& figures = written["quality"]["figures"];
    EXPECT_GT(figures["follows"]["value"].get<double>(), 0.8);
    EXPECT_GT(figures["psnr_outside"]["value"].get<double>(), 40);
    EXPECT_LT(figures["psnr_inside"]["value"].get<double>(), 40) << "a mouth was redrawn";
    EXPECT_LT(figures["seam"]["value"].get<double>(), 1);
    EXPECT_EQ(written["quality"]["courses"]["opening_planned"]["values"].size(), 75U);
    EXPECT_EQ(written["qa"]["passed"], false);
    EXPECT_GT(written["timings"]["quality_s"].get<double>(), 0);
}

}  // namespace
}  // namespace omnisync::test
