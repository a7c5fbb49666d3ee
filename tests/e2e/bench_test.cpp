// `omnisync bench`: whole sets, killed and resumed, their tables to the byte, the page in a browser.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <nlohmann/json.hpp>

#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

ProcessResult bench(const Words& words, const ProcessOptions& options = {}) {
    Words command{command_path(), "bench"};
    command.insert(command.end(), words.begin(), words.end());
    return run(command, options);
}

/// What two runs over the same pairs must agree on to the byte.
std::map<std::string, std::string> tables(const fs::path& folder) {
    std::map<std::string, std::string> all;
    for (const char* name : {"results.csv", "results.json", "table.md", "verdicts.csv", "index.html"})
        all[name] = read_bytes(folder / name);
    return all;
}

Json results(const fs::path& folder) {
    return Json::parse(read_bytes(folder / "results.json"));
}

std::size_t records_in(const fs::path& folder) {
    if (!fs::exists(folder / "records")) return 0;
    std::size_t count = 0;
    for (const std::string& name : names_in(folder / "records")) count += name.ends_with(".json") && name[0] != '.';
    return count;
}

class Bench : public testing::Test {
protected:
    [[nodiscard]] std::string file(const char* name) const { return (folder_ / name).string(); }
    /// A list of `rows` of video, speech, name.
    std::string list(const std::string& rows) {
        write_bytes(folder_ / "pairs.csv", "video,speech,name\n" + rows);
        return file("pairs.csv");
    }
    static std::string pair(const std::string& name) {
        return '"' + example("speaker.mp4") + "\"," + example("speech.wav") + ',' + name + '\n';
    }
    TempDir folder_;
    // Quick ones: the sound is replaced, nothing is measured.
    const Words quick_{"--dub", "engine=none", "--no-measure", "--threads", "1", "--progress", "none"};

    Words quick(const std::string& set, const char* out, const Words& more = {}) const {
        Words words{"pairs", set, "-o", file(out)};
        words.insert(words.end(), quick_.begin(), quick_.end());
        words.insert(words.end(), more.begin(), more.end());
        return words;
    }
};

TEST_F(Bench, KilledTwiceAndResumedItMakesTheTableOfAnUnbrokenRun) {
    write_bytes(folder_ / "no video.mp4", "this is text");
    std::string rows = pair("plain") + pair("\"two words, a \"\"quotation\"\"\"") + pair("-dash") + pair("../up/<b>") +
                       pair("\"a\nline\"") + file("no video.mp4") + ',' + example("speech.wav") + ",broken\n" +
                       "gone.mp4," + example("speech.wav") + ",gone\n";
    // The same contents are done once: these differ.
    for (const char* part : {"0.5", "0.6", "0.7", "0.8", "0.9"}) {
        run_or_throw({"ffmpeg", "-v", "error", "-i", example("speech.wav"), "-t", part, file(part) + ".wav"});
        rows += example("speaker.mp4") + ',' + file(part) + ".wav,short " + part + '\n';
    }
    const std::string set = list(rows);
    const auto whole = bench(quick(set, "whole"));
    ASSERT_TRUE(whole.ok()) << whole.summary();

    for (const std::size_t after : {2, 4}) {
        ProcessOptions kill;
        kill.signal = SIGKILL;
        kill.signal_when = [&] { return records_in(folder_ / "broken") >= after; };
        EXPECT_EQ(bench(quick(set, "broken"), kill).signal, SIGKILL);
        EXPECT_FALSE(fs::exists(folder_ / "broken" / "results.csv"));
    }
    const auto resumed = bench(quick(set, "broken"));
    ASSERT_TRUE(resumed.ok()) << resumed.summary();
    EXPECT_THAT(resumed.err, HasSubstr("done before"));
    for (const auto& [name, text] : tables(folder_ / "whole"))
        EXPECT_TRUE(text == read_bytes(folder_ / "broken" / name)) << name;
    // Nothing half written stays.
    for (const char* place : {"results", "records", "reports"})
        for (const std::string& name : names_in(folder_ / "broken" / place))
            EXPECT_FALSE(name.starts_with('.')) << name;

    const Json found = results(folder_ / "whole");
    std::map<std::string, Json> pairs;
    for (const Json& one : found["pairs"]) pairs[one["name"]] = one;
    ASSERT_EQ(pairs.size(), 12U);
    for (const char* name : {"plain", "two words, a \"quotation\"", "-dash", "../up/<b>", "a\nline", "short 0.5"}) {
        EXPECT_EQ(pairs[name]["state"], "done") << name << ": " << pairs[name]["reason"];
        const fs::path result = folder_ / "whole" / pairs[name]["result"].get<std::string>();
        EXPECT_TRUE(fs::is_regular_file(result)) << result;
        EXPECT_EQ(result.parent_path(), folder_ / "whole" / "results");
    }
    EXPECT_EQ(pairs["plain"]["key"], pairs["-dash"]["key"]) << "the same contents are done once";
    EXPECT_EQ(pairs["broken"]["state"], "failed");
    EXPECT_EQ(pairs["broken"]["exit"], kBadData);
    EXPECT_THAT(pairs["gone"]["reason"].get<std::string>(), HasSubstr("gone.mp4"));
    EXPECT_EQ(found["groups"][0]["pairs"], 12);
    EXPECT_EQ(found["groups"][0]["done"], 10);
    const std::string page = read_bytes(folder_ / "whole" / "index.html");
    EXPECT_THAT(page, Not(HasSubstr("up/<b>")));
    EXPECT_THAT(page, HasSubstr("../up/&lt;b&gt;"));
}

TEST_F(Bench, SeveralJobsMakeTheSameTable) {
    std::string rows;
    for (const char* part : {"0.5", "0.6", "0.7"}) {
        run_or_throw({"ffmpeg", "-v", "error", "-i", example("speech.wav"), "-t", part, file(part) + ".wav"});
        rows += example("speaker.mp4") + ',' + file(part) + ".wav,short " + part + '\n';
    }
    const std::string set = list(rows);
    ASSERT_TRUE(bench(quick(set, "one")).ok());
    const auto three = bench(quick(set, "three", {"--jobs", "3"}));
    ASSERT_TRUE(three.ok()) << three.summary();
    EXPECT_TRUE(tables(folder_ / "one") == tables(folder_ / "three"));
}

TEST_F(Bench, BadListsAreRefusedWithTheLine) {
    const std::string good = pair("a");
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", ":1: no header"},
        {"video\nx.mp4\n", ":1: the column 'speech' is missing"},
        {"video,speech,vidoe\n", ":1: unknown column 'vidoe'"},
        {"video,speech,video\n", ":1: the column 'video' stands there twice"},
        {"video,speech\na.mp4\n", ":2: 1 values, but the header has 2 columns"},
        {"video,speech\na.mp4,b.wav,c\n", ":2: 3 values"},
        {"video,speech\n\n,b.wav\n", ":3: no value for 'video'"},
        {"video,speech\n\"a.mp4,b.wav\n", ":2: a quotation mark that is not closed"},
        {"video,speech\n\"a\"b.mp4,b.wav\n", ":2: letters behind a closing quotation mark"},
        {"video,speech\na\"b.mp4,b.wav\n", ":2: a quotation mark inside"},
        {"video,speech,name\n" + good + good, ":3: the name 'a' stands in line 2 too"},
        {std::string("video,speech\na\0b.mp4,b.wav\n", 27), ":2: a NUL byte"},
        {"video,speech\n", "there is no pair in it"}};
    for (const auto& [text, say] : cases) {
        write_bytes(folder_ / "bad.csv", text);
        EXPECT_TRUE(failed_with(bench(quick(file("bad.csv"), "out")), kBadData, say)) << text;
        EXPECT_FALSE(fs::exists(folder_ / "out"));
    }
}

TEST_F(Bench, WrongUsageIsRefusedBeforeAnythingIsMade) {
    const std::string set = list(pair("a"));
    const std::vector<std::pair<Words, std::string>> cases{{{"--dub", "previw=1"}, "did you mean 'preview'"},
                                                           {{"--dub", "preview=soon"}, "preview must be a number"},
                                                           {{"--dub", "preview"}, "a value is missing"},
                                                           {{"--dub", "output=x.mp4"}, "not to be chosen here"},
                                                           {{"--dub", "seed=1", "--dub", "seed=2"}, "more than once"},
                                                           {{"--manifest", set}, "--manifest is for aigc-lipsync"},
                                                           {{"--outputs", folder_.path().string()}, "contradict"}};
    for (const auto& [words, say] : cases)
        EXPECT_TRUE(failed_with(bench(quick(set, "out", words)), kUsage, say)) << shell_line(words);
    EXPECT_TRUE(failed_with(bench({"pair", set, "-o", file("out")}), kUsage, "did you mean 'pairs'"));
    EXPECT_TRUE(failed_with(bench({"pairs", set}), kUsage, "-o DIR is missing"));
    EXPECT_TRUE(failed_with(bench(quick(file("absent.csv"), "out")), kNoInput, "absent.csv"));
    EXPECT_TRUE(failed_with(bench(quick("/", "out")), kNoInput, "cannot open '/'"));
    EXPECT_FALSE(fs::exists(folder_ / "out"));
    // Somebody else's folder is left alone.
    fs::create_directory(folder_ / "photos");
    write_bytes(folder_ / "photos" / "one.jpg", "x");
    EXPECT_TRUE(failed_with(bench(quick(set, "photos")), kCannotCreate, "is no benchmark's folder"));
    EXPECT_EQ(names_in(folder_ / "photos"), Words{"one.jpg"});
}

TEST_F(Bench, ReadyOutputsAndVerdictsAreTaken) {
    fs::create_directory(folder_ / "peer");
    fs::copy_file(example("speaker.mp4"), folder_ / "peer" / "a.mp4");
    write_bytes(folder_ / "peer" / "c.mp4", "this is text");
    const std::string set = list(pair("a") + pair("b") + pair("c"));
    const Words words{"pairs", set, "-o", file("out"), "--outputs", file("peer"), "--no-measure"};
    const auto made = bench(words);
    ASSERT_TRUE(made.ok()) << made.summary();
    const Json found = results(folder_ / "out");
    EXPECT_EQ(found["method"], "peer");
    EXPECT_EQ(found["pairs"][0]["state"], "done");
    EXPECT_EQ(found["pairs"][1]["reason"], "there is no result for it");

    // The file for people is theirs: it is filled in and stays as it is.
    EXPECT_EQ(read_bytes(folder_ / "out" / "verdicts.csv"), "name,verdict,note\na,,\nb,,\nc,,\n");
    write_bytes(folder_ / "out" / "verdicts.csv", "name,verdict,note\na,pass,\nb,fail,\"late, and blurred\"\nc,,\n");
    Words judged = words;
    judged.insert(judged.end(), {"--verdicts", file("out/verdicts.csv")});
    ASSERT_TRUE(bench(judged).ok());
    const Json again = results(folder_ / "out");
    EXPECT_EQ(again["pairs"][0]["verdict"], "pass");
    EXPECT_EQ(again["pairs"][1]["note"], "late, and blurred");
    EXPECT_EQ(again["groups"][0]["passed_by_people"]["count"], 2);
    EXPECT_EQ(again["groups"][0]["passed_by_people"]["mean"], 0.5);
    EXPECT_THAT(read_bytes(folder_ / "out" / "verdicts.csv"), HasSubstr("late, and blurred"));

    write_bytes(folder_ / "wrong.csv", "name,verdict\na,maybe\n");
    judged.back() = file("wrong.csv");
    EXPECT_TRUE(failed_with(bench(judged), kBadData, ":2: a verdict is pass, fail or empty"));
    write_bytes(folder_ / "wrong.csv", "name,verdict\nz,pass\n");
    EXPECT_TRUE(failed_with(bench(judged), kBadData, ":2: no pair of the set is called 'z'"));
}

TEST_F(Bench, TheLayoutOfAigcLipSyncIsRead) {
    const fs::path set = folder_ / "set";
    fs::create_directories(set / "videos" / "stylized");
    fs::create_directories(set / "speech");
    fs::copy_file(example("speaker.mp4"), set / "videos" / "person.mp4");
    fs::copy_file(example("speaker.mp4"), set / "videos" / "stylized" / "drawn.mp4");
    write_bytes(set / "videos" / "notes.txt", "no video");
    fs::copy_file(example("speech.wav"), set / "speech" / "all.wav");
    const Words words{"aigc-lipsync", set.string(), "-o",          file("out"),   "--dub",
                      "engine=none",  "--dub",      "preview=0.5", "--no-measure"};
    const auto made = bench(words);
    ASSERT_TRUE(made.ok()) << made.summary();
    const Json found = results(folder_ / "out");
    ASSERT_EQ(found["pairs"].size(), 2U);
    EXPECT_EQ(found["pairs"][0]["name"], "person");
    EXPECT_EQ(found["pairs"][1]["name"], "stylized/drawn");
    EXPECT_EQ(found["pairs"][1]["group"], "stylised");
    std::vector<std::string> groups;
    for (const Json& group : found["groups"]) groups.push_back(group["group"]);
    EXPECT_EQ(groups, (Words{"all", "stylised", "others"}));
    const std::string table = read_bytes(folder_ / "out" / "table.md");
    EXPECT_THAT(table, HasSubstr("| Method | FID | FVD | CSIM | NIQE | BRISQUE | HyperIQA | Success all | Success "
                                 "stylised |"));
    EXPECT_THAT(table, HasSubstr("| OmniSync (quoted) | 10.681 | 211.350 | 0.808 | 4.588 | 25.485 | 61.906 | 97.40% | "
                                 "87.78% |"));
    EXPECT_THAT(table, HasSubstr("not comparable"));
    fs::remove_all(set / "videos");
    EXPECT_TRUE(failed_with(bench(words), kNoInput, "there is no video in"));
}

TEST_F(Bench, WhatTheEngineMadeIsMeasured) {
    const Words words{"pairs", list(pair("a")), "-o", file("out"), "--dub", "preview=1.5", "--threads", "1"};
    ProcessOptions patient;
    patient.limit = std::chrono::minutes(5);
    const auto made = bench(words, patient);
    ASSERT_TRUE(made.ok()) << made.summary();
    const Json one = results(folder_ / "out")["pairs"][0];
    ASSERT_EQ(one["state"], "done") << one["reason"];
    EXPECT_GT(one["pictures_redrawn"], 10);
    EXPECT_GT(one["figures"]["psnr_outside"]["value"], 30.0) << "the picture around the mouth stays";
    EXPECT_EQ(one["figures"]["lmd"]["value"], nullptr) << "there is no reference of the same speech";
    EXPECT_THAT(read_bytes(folder_ / "out" / "results.csv"), HasSubstr(",psnr_outside,"));
    // Nothing is left to do, and the table stays.
    const auto before = tables(folder_ / "out");
    const auto again = bench(words);
    ASSERT_TRUE(again.ok());
    EXPECT_LT(again.seconds, made.seconds);
    EXPECT_TRUE(tables(folder_ / "out") == before);
    // Other settings are other results.
    Words other = words;
    other[5] = "preview=1";
    ASSERT_TRUE(bench(other, patient).ok());
    EXPECT_NE(results(folder_ / "out")["pairs"][0]["key"], one["key"]);
}

TEST_F(Bench, ThePagePlaysInChromium) {
    if (!run({"sh", "-c", "command -v chromium && command -v python3"}).ok())
        GTEST_SKIP() << "chromium or python3 is not installed";
    const std::string set = list(pair("a"));
    for (const char* embed : {"0", "16"}) {
        const fs::path out = folder_ / (std::string("out") + embed);
        ASSERT_TRUE(bench(quick(set, out.filename().c_str(), {"--embed", embed})).ok());
        const auto shown = run({"python3", (source_root() / "tests/support/show_page.py").string(),
                                "file://" + (out / "index.html").string() + "#play", "4",
                                "[...document.querySelectorAll('video')].map(film => film.currentTime)"});
        ASSERT_TRUE(shown.ok()) << shown.summary();
        const Json told = Json::parse(shown.out);
        EXPECT_TRUE(told["complaints"].empty()) << told["complaints"];
        ASSERT_EQ(told["value"].size(), 2U);
        for (const Json& time : told["value"]) EXPECT_GT(time, 0.1) << "it plays";
    }
}

}  // namespace
}  // namespace omnisync::test
