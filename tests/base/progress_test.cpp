#include "base/progress.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

namespace omnisync {
namespace {

using std::chrono::milliseconds;

class ProgressTest : public testing::Test {
protected:
    Console::Write writer() {
        return [this](std::string_view text) { written_ += text; };
    }
    Progress::Clock clock() {
        return [this] { return std::chrono::steady_clock::time_point(now_); };
    }
    // 50 frames and 2 s of film in each second of work.
    void work(Progress& progress, int seconds) {
        for (int tick = 0; tick < seconds * 10; ++tick) {
            now_ += milliseconds(100);
            ++ticks_;
            progress.update(0.2 * ticks_, 5 * ticks_);
        }
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::istringstream text(written_);
        std::vector<std::string> list;
        for (std::string line; std::getline(text, line);) list.push_back(line);
        return list;
    }

    std::string written_;
    milliseconds now_{1000};
    int ticks_ = 0;
};

TEST_F(ProgressTest, LinesComeEveryFewSecondsAndAtTheEnd) {
    Console console(writer());
    Progress progress(console, ProgressStyle::lines, clock());
    progress.start(40);
    work(progress, 12);
    progress.finish();
    EXPECT_EQ(lines(), (std::vector<std::string>{"omnisync: 25%  250 frames  50.0 frames/s  2.00x  0:15 left",
                                                 "omnisync: 50%  500 frames  50.0 frames/s  2.00x  0:10 left",
                                                 "omnisync: 100%  600 frames  50.0 frames/s  2.00x  0:12"}));
}

TEST_F(ProgressTest, AStageIsNamedAndIsNotTheEnd) {
    Console console(writer());
    for (const ProgressStyle style : {ProgressStyle::lines, ProgressStyle::json, ProgressStyle::ffmpeg}) {
        Progress progress(console, style, clock());
        progress.start(40, "faces");
        work(progress, 6);
        progress.finish();
    }
    ASSERT_GE(lines().size(), 3U);
    EXPECT_TRUE(lines()[0].starts_with("omnisync: faces: ")) << lines()[0];
    const auto last = nlohmann::json::parse(lines().back());  // of the JSON: ffmpeg's blocks know no stages
    EXPECT_EQ(last["stage"], "faces");
    EXPECT_EQ(last["state"], "continue");
}

TEST_F(ProgressTest, AnUnknownLengthHasNoPercentage) {
    Console console(writer());
    Progress progress(console, ProgressStyle::lines, clock());
    progress.start(0);
    work(progress, 5);
    EXPECT_EQ(lines(), (std::vector<std::string>{"omnisync: 250 frames  50.0 frames/s  2.00x"}));
}

TEST_F(ProgressTest, AnEstimateThatWasTooShortStaysBelowTheEnd) {
    Console console(writer());
    Progress progress(console, ProgressStyle::lines, clock());
    progress.start(1);
    work(progress, 5);
    EXPECT_TRUE(written_.starts_with("omnisync: 99%")) << written_;
    EXPECT_NE(written_.find("0:00 left"), std::string::npos) << written_;
}

TEST_F(ProgressTest, ABarFitsTheTerminalAndGoesAway) {
    Console console(writer(), 80);
    {
        Progress progress(console, ProgressStyle::bar, clock());
        progress.start(40);
        work(progress, 10);
        const std::string last = written_.substr(written_.rfind('\r') + 1);
        EXPECT_TRUE(last.starts_with("[###")) << last;
        EXPECT_LE(last.size(), 79 + std::string("\x1b[K").size());
        EXPECT_NE(last.find("50%"), std::string::npos) << last;
        EXPECT_EQ(written_.find('\n'), std::string::npos);
        progress.finish();
    }
    EXPECT_TRUE(written_.ends_with("\r\x1b[K"));
}

TEST_F(ProgressTest, ANarrowTerminalGetsTheNumbersCutToItsWidth) {
    Console console(writer(), 20);
    Progress progress(console, ProgressStyle::bar, clock());
    progress.start(40);
    work(progress, 1);
    const std::string last = written_.substr(written_.rfind('\r') + 1);
    EXPECT_EQ(last.size(), 19 + std::string("\x1b[K").size()) << last;
}

TEST_F(ProgressTest, ABarThatWasInterruptedLeavesACleanLine) {
    Console console(writer(), 80);
    {
        Progress progress(console, ProgressStyle::bar, clock());
        progress.start(40);
        work(progress, 1);
    }
    EXPECT_TRUE(written_.ends_with("\r\x1b[K"));
}

TEST_F(ProgressTest, JsonLinesAreReadByAParser) {
    Console console(writer());
    Progress progress(console, ProgressStyle::json, clock());
    progress.start(40);
    work(progress, 1);
    progress.finish();
    const auto all = lines();
    ASSERT_EQ(all.size(), 3U);
    const auto first = nlohmann::json::parse(all.front());
    EXPECT_EQ(first["event"], "progress");
    EXPECT_EQ(first["state"], "continue");
    EXPECT_EQ(first["frames"], 25);
    EXPECT_DOUBLE_EQ(first["time_s"].get<double>(), 1.0);
    EXPECT_DOUBLE_EQ(first["total_s"].get<double>(), 40.0);
    EXPECT_DOUBLE_EQ(first["remaining_s"].get<double>(), 19.5);
    EXPECT_EQ(nlohmann::json::parse(all.back())["state"], "end");
}

TEST_F(ProgressTest, FfmpegBlocksEndWithTheirState) {
    Console console(writer());
    Progress progress(console, ProgressStyle::ffmpeg, clock());
    progress.start(40);
    work(progress, 1);
    progress.finish();
    const auto all = lines();
    ASSERT_EQ(all.size(), 15U);
    EXPECT_EQ(all[0], "frame=25");
    EXPECT_EQ(all[2], "out_time_us=1000000");
    EXPECT_EQ(all[4], "progress=continue");
    EXPECT_EQ(all[14], "progress=end");
}

TEST_F(ProgressTest, NoneWritesNothing) {
    Console console(writer(), 80);
    Progress progress(console, ProgressStyle::none, clock());
    progress.start(40);
    work(progress, 10);
    progress.finish();
    EXPECT_EQ(written_, "");
}

TEST_F(ProgressTest, ALineStepsOverTheStatus) {
    Console console(writer(), 80);
    console.status("half");
    console.line("a warning");
    EXPECT_EQ(written_, "\rhalf\x1b[K\r\x1b[Ka warning\nhalf");
}

TEST_F(ProgressTest, AStatusIsCutBetweenCharacters) {
    Console console(writer(), 5);
    console.status("äöüßé");
    EXPECT_EQ(written_, "\räöüß\x1b[K");
}

TEST(ProgressStyleName, KnowsItsWords) {
    EXPECT_EQ(parse_progress_style("json"), ProgressStyle::json);
    EXPECT_EQ(parse_progress_style("auto"), std::nullopt);
}

}  // namespace
}  // namespace omnisync
