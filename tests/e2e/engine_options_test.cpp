// What a user can ask of an engine and learn from it: its plan, its report, its options, the mark it leaves. Runs with
// the weights that ship (models/portable, or below OMNISYNC_MODELS).
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
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

constexpr int kPictures = 20;  // of 0.8 s at 25 pictures/s
constexpr const char* kSourceType =
    "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

ProcessResult omnisync(Words words) {
    words.insert(words.begin(), command_path());
    ProcessOptions options;
    options.limit = std::chrono::minutes(4);
    return run(words, options);
}

struct Row {
    int picture = 0;
    double time_s = 0;
    int track = 0;
    double planned = 0;
    double source = 0;
    int exemplar = 0;
};

std::vector<Row> read_plan(const fs::path& file) {
    std::istringstream lines(read_bytes(file));
    std::string line;
    std::getline(lines, line);
    EXPECT_EQ(line, "picture,time_s,track,planned_opening,source_opening,exemplar");
    std::vector<Row> rows;
    while (std::getline(lines, line)) {
        Row row;
        char comma = 0;
        std::istringstream fields(line);
        fields >> row.picture >> comma >> row.time_s >> comma >> row.track >> comma >> row.planned >> comma >>
            row.source >> comma >> row.exemplar;
        EXPECT_TRUE(fields && fields.peek() == EOF) << line;
        rows.push_back(row);
    }
    return rows;
}

class EngineOptions : public testing::Test {
protected:
    Words words(const std::string& output, const Words& extra = {}) {
        Words all{"dub",
                  example("speaker.mp4"),
                  example("speech.wav"),
                  "-o",
                  (folder_ / output).string(),
                  "--models",
                  models_,
                  "--preview",
                  "0.8",
                  "-q"};
        all.insert(all.end(), extra.begin(), extra.end());
        return all;
    }
    ProcessResult dub(const std::string& output, const Words& extra = {}) { return omnisync(words(output, extra)); }
    std::vector<Row> plan(const std::string& name, const Words& extra) {
        Words all{"--plan", (folder_ / (name + ".csv")).string(), "--analysis", (folder_ / "faces").string()};
        all.insert(all.end(), extra.begin(), extra.end());
        const auto done = dub(name + ".mkv", all);
        EXPECT_TRUE(done.ok()) << done.summary();
        return read_plan(folder_ / (name + ".csv"));
    }
    Json container(const std::string& name) {
        const auto seen = omnisync({"inspect", "--fast", "--json", (folder_ / name).string()});
        EXPECT_TRUE(seen.ok()) << seen.summary();
        return Json::parse(seen.out)["container"];
    }

    std::string models_ = models().string();
    TempDir folder_;
};

TEST_F(EngineOptions, ThePlanHasARowForEachPictureAndMouth) {
    const auto rows = plan("whole", {});
    ASSERT_EQ(rows.size(), kPictures);
    for (int i = 0; i < kPictures; ++i) {
        const Row& row = rows[static_cast<std::size_t>(i)];
        EXPECT_EQ(row.picture, i);
        EXPECT_NEAR(row.time_s, i / 25.0, 1e-6);
        EXPECT_EQ(row.track, rows.front().track);
        // Lips of a face 160 pixels wide and high.
        EXPECT_GT(row.planned, -10);
        EXPECT_LT(row.planned, 40);
        EXPECT_GT(row.source, -5);
        EXPECT_LT(row.source, 40);
        EXPECT_GE(row.exemplar, 0);
        EXPECT_LT(row.exemplar, 75);
    }
}

TEST_F(EngineOptions, SamplingObeysTheOptions) {
    const auto opening = [](const std::vector<Row>& rows) {
        std::vector<double> values;
        for (const Row& row : rows) values.push_back(row.planned);
        return values;
    };
    const auto travel = [&](const std::vector<Row>& rows) {
        double low = 1e9;
        double high = -1e9;
        for (const double value : opening(rows)) {
            low = std::min(low, value);
            high = std::max(high, value);
        }
        return high - low;
    };
    const auto usual = plan("usual", {});
    EXPECT_EQ(opening(plan("again", {"--seed", "0"})), opening(usual));
    EXPECT_NE(opening(plan("seed", {"--seed", "7"})), opening(usual));
    EXPECT_NE(opening(plan("steps", {"--steps", "4"})), opening(usual));
    EXPECT_NE(opening(plan("guidance", {"--guidance", "8"})), opening(usual));
    EXPECT_LT(travel(plan("still", {"--strength", "0.1"})), 0.5 * travel(usual));
}

TEST_F(EngineOptions, TheReportTellsWhatTheEngineUsedAndDid) {
    const auto done =
        dub("told.mp4", {"--json", "--steps", "2", "--guidance", "3", "--seed", "11", "--strength", "0.5"});
    ASSERT_TRUE(done.ok()) << done.summary();
    const Json report = Json::parse(done.out);
    const Json& engine = report["engine"];
    EXPECT_EQ(engine["name"], "portable");
    EXPECT_EQ(engine["steps"], 2);
    EXPECT_EQ(engine["guidance"], 3);
    EXPECT_EQ(engine["seed"], 11);
    EXPECT_EQ(engine["strength"], 0.5);
    EXPECT_EQ(engine["pictures_redrawn"], kPictures);
    ASSERT_GE(engine["weights"].size(), 1U);
    for (const Json& file : engine["weights"]) {
        const auto sum = run_or_throw({"sha256sum", file["path"].get<std::string>()}).out;
        EXPECT_EQ(file["sha256"], sum.substr(0, 64)) << file["path"];
    }
    ASSERT_EQ(engine["roles"].size(), 1U);
    const Json& spans = engine["roles"][0]["spans"];
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0]["state"], "edited");
    EXPECT_NEAR(spans[0]["end_s"].get<double>(), 0.8, 1e-6);
    EXPECT_FALSE(engine["remarks"].empty());
}

TEST_F(EngineOptions, AnEditedFileSaysSoAndADeniedMarkIsNotThere) {
    for (const char* const name : {"a.mp4", "a.mov", "a.mkv", "a.webm"}) {
        const auto done = dub(name, {"--json"});
        ASSERT_TRUE(done.ok()) << done.summary();
        EXPECT_TRUE(Json::parse(done.out)["mark"].is_string()) << name;
        EXPECT_EQ(container(name)["digital_source_type"], kSourceType) << name;
        EXPECT_NE(container(name)["tags"].dump().find("synthesised by omnisync"), std::string::npos) << name;
    }
    const auto denied = dub("denied.mp4", {"--json", "--no-mark"});
    ASSERT_TRUE(denied.ok()) << denied.summary();
    EXPECT_TRUE(Json::parse(denied.out)["mark"].is_null());
    EXPECT_TRUE(container("denied.mp4")["digital_source_type"].is_null());
    // Whoever replaces the sound once more does not take the mark away.
    ASSERT_TRUE(dubs(folder_ / "a.mov", example("speech.wav"), folder_ / "b.mp4"));
    EXPECT_EQ(container("b.mp4")["digital_source_type"], kSourceType);
}

TEST_F(EngineOptions, AContainerThatCannotBeMarkedIsWarnedAbout) {
    const auto done = dub("a.ts", {"--json"});
    ASSERT_TRUE(done.ok()) << done.summary();
    EXPECT_TRUE(Json::parse(done.out)["mark"].is_null());
    EXPECT_NE(done.err.find("not marked"), std::string::npos) << done.err;
}

TEST_F(EngineOptions, ADryRunNamesTheEngineAndWritesNothing) {
    const auto done = dub("dry.mp4", {"--json", "--dry-run", "--plan", (folder_ / "dry.csv").string()});
    ASSERT_TRUE(done.ok()) << done.summary();
    const Json told = Json::parse(done.out);
    EXPECT_EQ(told["engine"]["name"], "portable");
    EXPECT_EQ(told["engine"]["pictures_to_redraw"], kPictures);
    EXPECT_GT(told["time_estimate_s"], 0);
    EXPECT_TRUE(names_in(folder_.path()).empty());
}

TEST_F(EngineOptions, WhatMayBeMeantOtherwiseIsWarnedAbout) {
    const auto many = dub("many.mp4", {"--steps", "101", "--offset", "-30", "--sync", "silence"});
    ASSERT_TRUE(many.ok()) << many.summary();
    EXPECT_NE(many.err.find("--steps 101 is slow"), std::string::npos) << many.err;
    EXPECT_NE(many.err.find("removes the whole speech"), std::string::npos) << many.err;
    EXPECT_EQ(line_count(many.err), 2) << many.err;
}

TEST_F(EngineOptions, FootageOfAStillMouthIsWarnedAbout) {
    const std::string still = (folder_ / "still.mp4").string();
    run_or_throw({"ffmpeg", "-v", "error", "-i", example("speaker.mp4"), "-vf", "trim=end_frame=1,loop=loop=30:size=1",
                  "-r", "25", "-an", still});
    const auto done = omnisync({"dub", still, example("speech.wav"), "-o", (folder_ / "out.mp4").string(), "--models",
                                models_, "--preview", "0.4", "-q"});
    ASSERT_TRUE(done.ok()) << done.summary();
    EXPECT_NE(done.err.find("hardly moves the lips"), std::string::npos) << done.err;
}

TEST_F(EngineOptions, AnEmptyFolderOfModelsIsWarnedAbout) {
    const TempDir empty;
    const auto done =
        omnisync({"dub", example("speaker.mp4"), example("speech.wav"), "-o", (folder_ / "out.mp4").string(),
                  "--models", empty.path().string(), "--preview", "0.4", "-q"});
    ASSERT_TRUE(done.ok()) << done.summary();
    EXPECT_NE(done.err.find("is empty"), std::string::npos) << done.err;
}

// These need no weights.

TEST(EngineNone, ItsPlanIsRefusedAndItsOptionsAreWarnedAbout) {
    const TempDir folder;
    const auto refused = dub(example("speaker.mp4"), example("speech.wav"), folder / "a.mp4",
                             {"--plan", (folder / "plan.csv").string()});
    EXPECT_TRUE(failed_with(refused, kUsage, "--plan"));
    EXPECT_TRUE(names_in(folder.path()).empty());
    const auto warned = dub(example("speaker.mp4"), example("speech.wav"), folder / "a.mp4",
                            {"-q", "--preview", "0.2", "--steps", "3", "--strength", "0.5", "--seed", "1"});
    EXPECT_TRUE(warned.ok()) << warned.summary();
    for (const char* const option : {"--steps", "--strength", "--seed"})
        EXPECT_NE(warned.err.find(std::string(option) + " has no effect"), std::string::npos) << warned.err;
}

TEST(EngineNone, LeavesNoMark) {
    const TempDir folder;
    ASSERT_TRUE(dubs(example("speaker.mp4"), example("speech.wav"), folder / "a.mp4"));
    const auto seen = omnisync({"inspect", "--fast", "--json", (folder / "a.mp4").string()});
    ASSERT_TRUE(seen.ok()) << seen.summary();
    EXPECT_TRUE(Json::parse(seen.out)["container"]["digital_source_type"].is_null());
}

}  // namespace
}  // namespace omnisync::test
