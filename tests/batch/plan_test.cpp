// Job files: what is taken, what is refused and where, patterns, templates, order.
#include "batch/plan.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "base/log.h"
#include "base/text.h"
#include "support/paths.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;
using test::TempDir;

OptionRule rule(ValueKind kind, Role role = Role::plain) {
    OptionRule made;
    made.kind = kind;
    made.role = role;
    made.check = [kind](const std::string& given) {
        if (kind == ValueKind::flag && given != "true" && given != "false")
            throw Error(ExitCode::usage, "must be true or false");
        if (kind == ValueKind::integer && !parse_integer(given)) throw Error(ExitCode::usage, "must be a whole number");
        if (kind == ValueKind::number && !parse_number(given)) throw Error(ExitCode::usage, "must be a number");
    };
    return made;
}

OptionTable options() {
    OptionTable table;
    table["engine"] = rule(ValueKind::text);
    table["seed"] = rule(ValueKind::integer);
    table["crf"] = rule(ValueKind::number);
    table["strict"] = rule(ValueKind::flag);
    table["force"] = rule(ValueKind::flag);
    table["output"] = rule(ValueKind::text, Role::output);
    table["report"] = rule(ValueKind::text, Role::side);
    table["segments"] = rule(ValueKind::text, Role::input);
    table["analysis"] = rule(ValueKind::text, Role::analysis);
    table["speaker"] = rule(ValueKind::text, Role::speaker);
    table["face-box"] = rule(ValueKind::text);
    table["face-box"].repeatable = true;
    table["dry-run"] = rule(ValueKind::flag);
    table["dry-run"].refusal = "not here";
    return table;
}

class Plans : public testing::Test {
protected:
    Plan plan(const std::string& text, const std::string& name = "jobs.jsonl", const PlanOptions& wishes = {}) {
        return make_plan(std::string_view(text), (folder_ / name).string(), table_, wishes);
    }

    /// The error that a job file makes, without its folder; "none" when it makes none.
    std::string refusal(const std::string& text, const std::string& name = "jobs.jsonl",
                        const PlanOptions& wishes = {}) {
        try {
            (void)plan(text, name, wishes);
            return "none";
        } catch (const Error& error) {
            code_ = error.code();
            std::string what = error.what() + (error.hint().empty() ? "" : " | " + error.hint());
            for (std::size_t at = 0; (at = what.find(folder_.path().string() + "/")) != std::string::npos;)
                what.erase(at, folder_.path().string().size() + 1);
            return what;
        }
    }

    void touch(const std::string& name) {
        fs::create_directories((folder_ / name).parent_path());
        test::write_bytes(folder_ / name, "x");
    }

    [[nodiscard]] std::string in(const std::string& name) const { return (folder_ / name).string(); }

    TempDir folder_;
    OptionTable table_ = options();
    ExitCode code_ = ExitCode::done;
};

TEST_F(Plans, AJobPerLineWithAnyOption) {
    const Plan made = plan(
        "{\"video\":\"a.mp4\",\"speech\":\"s.wav\",\"output\":\"out/a.mp4\",\"seed\":7,\"crf\":18.5,\"strict\":true,"
        "\"face-box\":[\"1,2,3,4,5\",\"2,2,3,4,5\"]}\r\n"
        "\n"
        "{\"video\":\"/x/b.mp4\",\"speech\":\"s.wav\",\"output\":\"out/b.mp4\",\"name\":\"b\"}");
    ASSERT_EQ(made.jobs.size(), 2U);
    EXPECT_EQ(made.jobs[0].video, in("a.mp4")) << "relative to the job file";
    EXPECT_EQ(made.jobs[0].output, in("out/a.mp4"));
    EXPECT_EQ(made.jobs[0].line, 1);
    EXPECT_EQ(made.jobs[0].option("seed"), "7");
    EXPECT_EQ(made.jobs[0].option("crf"), "18.5");
    EXPECT_EQ(made.jobs[0].option("strict"), "true");
    EXPECT_EQ(made.jobs[0].option("face-box"), "1,2,3,4,5;2,2,3,4,5");
    EXPECT_EQ(made.jobs[0].option("engine", "none"), "none");
    EXPECT_EQ(made.jobs[1].video, "/x/b.mp4");
    EXPECT_EQ(made.jobs[1].line, 3);
    EXPECT_EQ(made.jobs[1].name, "b");
    EXPECT_NE(made.jobs[0].id, made.jobs[1].id);
}

TEST_F(Plans, CsvHasTheSameMeaning) {
    const Plan made = plan(
        "\xEF\xBB\xBFvideo,speech,output,seed,name,depends\n"
        "a.mp4,s.wav,a.out.mp4,7,first,\n"
        "\"with, comma.mp4\",s.wav,\"quo\"\"ted.mp4\",,,first\n",
        "jobs.csv");
    ASSERT_EQ(made.jobs.size(), 2U);
    EXPECT_EQ(made.jobs[0].option("seed"), "7");
    EXPECT_EQ(made.jobs[1].video, in("with, comma.mp4"));
    EXPECT_EQ(made.jobs[1].output, in("quo\"ted.mp4"));
    EXPECT_EQ(made.jobs[1].depends, std::vector<std::uint32_t>{0});
}

TEST_F(Plans, NamesThatLookLikeOptionsOrCodeAreNames) {
    const Plan made = plan(R"({"video":"-v.mp4","speech":"a b'c\"d$(touch x);\nz.wav","output":"--output=x.mp4"})");
    EXPECT_EQ(made.jobs[0].video, in("-v.mp4"));
    EXPECT_EQ(made.jobs[0].speech, in("a b'c\"d$(touch x);\nz.wav"));
    EXPECT_EQ(made.jobs[0].output, in("--output=x.mp4"));
}

struct Bad {
    const char* name;
    const char* text;
    const char* says;
    const char* file = "jobs.jsonl";
};
void PrintTo(const Bad& bad, std::ostream* out) {
    *out << bad.name;
}
class BadFiles : public Plans, public testing::WithParamInterface<Bad> {};

TEST_P(BadFiles, AreRefusedWithTheirLine) {
    const std::string said = refusal(GetParam().text, GetParam().file);
    EXPECT_NE(said.find(GetParam().says), std::string::npos) << said;
    EXPECT_EQ(code_, ExitCode::bad_data);
}

#define JOB "\"video\":\"a\",\"speech\":\"s\",\"output\":\"o\""
const std::vector<Bad> kBad{
    {"empty", "", "there is no job in it"},
    {"no_json", "{" JOB "}\nvideo: a\n", "jobs.jsonl:2: no JSON object"},
    {"cut_off", "{" JOB "}\n{\"video\":\"b\"", "jobs.jsonl:2: no JSON object"},
    {"two_objects", "{" JOB "} {}", "jobs.jsonl:1: no JSON object"},
    {"list", "[1]", "jobs.jsonl:1: no JSON object"},
    {"number", "7", "jobs.jsonl:1: no JSON object"},
    {"not_utf8", "{\"video\":\"\xff\"}", "jobs.jsonl:1: no JSON object"},
    {"missing_video", "{\"speech\":\"s\",\"output\":\"o\"}", "jobs.jsonl:1: 'video' is missing"},
    {"missing_speech", "{\"video\":\"s\",\"output\":\"o\"}", "jobs.jsonl:1: 'speech' is missing"},
    {"missing_output", "{\"video\":\"v\",\"speech\":\"s\"}", "jobs.jsonl:1: 'output' is missing"},
    {"empty_video", "{\"video\":\"\",\"speech\":\"s\",\"output\":\"o\"}", "'video' must not be empty"},
    {"number_video", "{\"video\":7,\"speech\":\"s\",\"output\":\"o\"}", "'video' must be a text"},
    {"number_output", "{\"video\":\"v\",\"speech\":\"s\",\"output\":7}", "'output' must be a text"},
    {"standard_input", "{\"video\":\"-\",\"speech\":\"s\",\"output\":\"o\"}", "'video' cannot be '-'"},
    {"unknown_option", "{" JOB ",\"sede\":7}", "jobs.jsonl:1: unknown option 'sede' | did you mean 'seed'?"},
    {"text_for_integer", "{" JOB ",\"seed\":\"seven\"}", "'seed' must be a whole number"},
    {"digits_as_text", "{" JOB ",\"seed\":\"7\"}", "'seed' must be a whole number"},
    {"float_for_integer", "{" JOB ",\"seed\":7.5}", "'seed' must be a whole number"},
    {"text_for_flag", "{" JOB ",\"strict\":\"true\"}", "'strict' must be true or false"},
    {"flag_for_text", "{" JOB ",\"engine\":true}", "'engine' must be a text"},
    {"null", "{" JOB ",\"engine\":null}", "'engine' is null"},
    {"object", "{" JOB ",\"engine\":{\"a\":1}}", "'engine' is an object"},
    {"list_for_text", "{" JOB ",\"engine\":[\"a\"]}", "'engine' must be a text"},
    {"deep_list", "{" JOB ",\"face-box\":[[\"a\"]]}", "'face-box' is a list of lists"},
    {"list_of_numbers", "{" JOB ",\"depends\":[1]}", "'depends' must be a list of texts"},
    {"nul", "{" JOB ",\"engine\":\"no\\u0000ne\"}", "'engine' holds a NUL character"},
    {"nul_in_list", "{" JOB ",\"face-box\":[\"a\\u0000\"]}", "'face-box' holds a NUL character"},
    {"twice", "{" JOB ",\"seed\":1,\"seed\":2}", "'seed' stands there twice"},
    {"not_here", "{" JOB ",\"dry-run\":true}", "'dry-run' cannot stand in a job file | not here"},
    {"same_output", "{" JOB "}\n{\"video\":\"b\",\"speech\":\"s\",\"output\":\"x/../o\"}",
     "jobs.jsonl:2: 'output' is 'o', which line 1 writes"},
    {"report_is_output", "{" JOB "}\n{\"video\":\"b\",\"speech\":\"s\",\"output\":\"p\",\"report\":\"./o\"}",
     "jobs.jsonl:2: 'report' is 'o', which line 1 writes as its 'output'"},
    {"same_by_template",
     "{\"video\":\"x/a.mp4\",\"speech\":\"s\",\"output\":\"{video.stem}.out\"}\n{\"video\":\"y/"
     "a.mov\",\"speech\":\"s\",\"output\":\"{video.stem}.out\"}",
     "jobs.jsonl:2: 'output' is 'a.out', which line 1 writes"},
    {"unknown_field", "{\"video\":\"v\",\"speech\":\"s\",\"output\":\"{video.stam}.mp4\"}",
     "unknown field '{video.stam}' | did you mean 'video.stem'?"},
    {"open_brace", "{\"video\":\"v\",\"speech\":\"s\",\"output\":\"{video.stem.mp4\"}", "a brace stands alone"},
    {"close_brace", "{\"video\":\"v\",\"speech\":\"s\",\"output\":\"a}.mp4\"}", "a brace stands alone"},
    {"no_name", "{\"video\":\"v\",\"speech\":\"s\",\"output\":\"{name}.mp4\"}", "'{name}' is empty here"},
    {"no_match", "{\"video\":\"*.absent\",\"speech\":\"s\",\"output\":\"o\"}",
     "jobs.jsonl:1: no file matches '*.absent'"},
    {"folder_output", "{\"video\":\"v\",\"speech\":\"s\",\"output\":\"out/\"}", "no file's name"},
    {"absent_dependency", "{" JOB ",\"depends\":\"nobody\"}", "jobs.jsonl:1: 'depends' names 'nobody'"},
    {"same_name", "{" JOB ",\"name\":\"n\"}\n{\"video\":\"a\",\"speech\":\"s\",\"output\":\"p\",\"name\":\"n\"}",
     "jobs.jsonl:2: the name 'n' is taken by line 1"},
    {"self", "{" JOB ",\"name\":\"n\",\"depends\":[\"n\"]}",
     "jobs.jsonl:1: the jobs wait for each other in a circle: line 1 -> line 1"},
    {"circle",
     "{" JOB ",\"name\":\"x\",\"depends\":\"z\"}\n{\"video\":\"a\",\"speech\":\"s\",\"output\":\"p\",\"name\":\"y\","
     "\"depends\":\"x\"}\n{\"video\":\"a\",\"speech\":\"s\",\"output\":\"q\",\"name\":\"z\",\"depends\":\"y\"}",
     "in a circle: line 1 -> line 3 -> line 2 -> line 1"},
    {"circle_of_files",
     "{\"video\":\"p\",\"speech\":\"s\",\"output\":\"o\"}\n{\"video\":\"o\",\"speech\":\"s\",\"output\":\"p\"}",
     "in a circle"},
    {"csv_column", "video,speech,output,sede\na,s,o,1\n", "jobs.csv:1: unknown column 'sede' | did you mean 'seed'?",
     "jobs.csv"},
    {"csv_twice", "video,speech,output,video\na,s,o,1\n", "jobs.csv:1: the column 'video' stands there twice",
     "jobs.csv"},
    {"csv_short", "video,speech,output\na,s\n", "jobs.csv:2: 2 values for 3 columns", "jobs.csv"},
    {"csv_quote", "video,speech,output\na,s,o\nb,\"s,o\n", "jobs.csv:3: a quotation mark that is not closed",
     "jobs.csv"},
    {"csv_value", "video,speech,output,seed\na,s,o,x\n", "jobs.csv:2: 'seed' must be a whole number", "jobs.csv"},
};
INSTANTIATE_TEST_SUITE_P(All, BadFiles, testing::ValuesIn(kBad), [](const auto& info) { return info.param.name; });

TEST_F(Plans, OutputsStayBelowTheRoot) {
    fs::create_directory(folder_ / "root");
    fs::create_directory(folder_ / "elsewhere");
    fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "root/link");
    fs::create_symlink(folder_ / "elsewhere/file.mp4", folder_ / "root/file.mp4");
    const auto says = [&](const std::string& output) {
        code_ = ExitCode::done;
        return refusal("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"" + output + "\"}", "root/jobs.jsonl");
    };
    for (const std::string output :
         {"../o.mp4", "x/../../o.mp4", "/elsewhere/o.mp4", "link/o.mp4", "link/x/o.mp4", "file.mp4"}) {
        EXPECT_NE(says(output).find("root/jobs.jsonl:1: 'output' is "), std::string::npos)
            << output << ": " << says(output);
        EXPECT_EQ(code_, ExitCode::not_allowed) << output;
    }
    EXPECT_EQ(says("x/../o.mp4"), "none");
    EXPECT_EQ(says(in("root/o.mp4")), "none") << "absolute, and inside";
    PlanOptions free;
    free.allow_outside = true;
    EXPECT_EQ(
        plan("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"../o.mp4\"}", "root/jobs.jsonl", free).jobs[0].output,
        in("o.mp4"));
    PlanOptions wide;
    wide.output_root = folder_.path().string();
    EXPECT_EQ(plan("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"../o.mp4\"}", "root/jobs.jsonl", wide).jobs.size(),
              1U);
    EXPECT_NE(refusal("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"o\",\"report\":\"../r.json\"}", "root/jobs.jsonl")
                  .find("'report' is"),
              std::string::npos);
}

TEST_F(Plans, TwoWaysToOneFileAreOneFile) {
    fs::create_directory(folder_ / "real");
    fs::create_directory_symlink(folder_ / "real", folder_ / "link");
    EXPECT_NE(refusal("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"real/o\"}\n"
                      "{\"video\":\"b\",\"speech\":\"s\",\"output\":\"link/o\"}")
                  .find("jobs.jsonl:2: 'output' is 'link/o', which line 1 writes"),
              std::string::npos);
}

TEST_F(Plans, AnInputIsNeverAnOutput) {
    EXPECT_NE(refusal("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"x/../a\"}").find("its own 'video'"),
              std::string::npos);
    EXPECT_EQ(code_, ExitCode::not_allowed);
    EXPECT_NE(refusal("{\"video\":\"a\",\"speech\":\"s\",\"output\":\"o\",\"report\":\"r.json\"}\n"
                      "{\"video\":\"r.json\",\"speech\":\"s\",\"output\":\"p\"}")
                  .find("jobs.jsonl:2: 'video' is 'r.json', which line 1 writes as its 'report'"),
              std::string::npos);
}

TEST_F(Plans, AllProblemsAreTold) {
    std::vector<std::string> told;
    log::set_sink([&](log::Level, std::string_view message) { told.emplace_back(message); });
    std::string text;
    for (int i = 0; i < 30; ++i) text += "{\"wrong\":1}\n";
    EXPECT_NE(refusal(text).find(":1: "), std::string::npos);
    log::set_sink({});
    ASSERT_EQ(told.size(), 21U);
    EXPECT_NE(told.front().find("jobs.jsonl:1: "), std::string::npos) << told.front();
    EXPECT_NE(told.back().find("more like these"), std::string::npos) << told.back();
}

TEST_F(Plans, PatternsAreSortedAndTemplatesNameTheirParts) {
    for (const char* name : {"in/b.mp4", "in/a.mov", "in/.hidden.mp4", "in/sub/c.mp4", "say/a.wav", "say/b.wav"})
        touch(name);
    const Plan made = plan(
        R"({"video":"in/*","speech":"say/{video.stem}.wav","output":"out/{video.stem}{video.ext}.{line:3}.{index:2}.mp4",)"
        R"("report":"out/{speech.stem}-{video.name}.json"})");
    ASSERT_EQ(made.jobs.size(), 2U) << "neither folders nor hidden files";
    EXPECT_EQ(made.jobs[0].video, in("in/a.mov"));
    EXPECT_EQ(made.jobs[0].speech, in("say/a.wav"));
    EXPECT_EQ(made.jobs[0].output, in("out/a.mov.001.00.mp4"));
    EXPECT_EQ(made.jobs[1].output, in("out/b.mp4.001.01.mp4"));
    EXPECT_EQ(made.jobs[1].option("report"), in("out/b-b.mp4.json"));
}

TEST_F(Plans, TwoPatternsMakeAllPairs) {
    for (const char* name : {"in/b.mp4", "in/a.mp4", "say/x.wav", "say/y.wav"}) touch(name);
    const Plan made =
        plan(R"({"video":"in/*.mp4","speech":"say/*","output":"{video.dir}/{video.stem}-{speech.stem}.out"})");
    ASSERT_EQ(made.jobs.size(), 4U);
    EXPECT_EQ(made.jobs[0].output, in("in/a-x.out"));
    EXPECT_EQ(made.jobs[1].output, in("in/a-y.out"));
    EXPECT_EQ(made.jobs[3].output, in("in/b-y.out"));
}

TEST_F(Plans, AFileWhoseNameIsAPatternIsItself) {
    for (const char* name : {"a[1].mp4", "a1.mp4", "b*.mp4", "b1.mp4"}) touch(name);
    EXPECT_EQ(plan(R"({"video":"a[1].mp4","speech":"s","output":"o"})").jobs.at(0).video, in("a[1].mp4"));
    EXPECT_EQ(plan(R"({"video":"b\\*.mp4","speech":"s","output":"o"})").jobs.size(), 1U);
    EXPECT_EQ(plan(R"({"video":"b*","speech":"s","output":"{index}"})").jobs.size(), 2U);
}

TEST_F(Plans, WhatAnEarlierRunMadeIsNoInput) {
    for (const char* name : {"a.mp4", "a.dub.mp4", "a.dub.dub.mp4"}) touch(name);
    const Plan made = plan(R"({"video":"*.mp4","speech":"s","output":"{video.stem}.dub.mp4"})");
    ASSERT_EQ(made.jobs.size(), 1U);
    EXPECT_EQ(made.jobs[0].output, in("a.dub.mp4"));
}

TEST_F(Plans, JobsComeAfterThoseThatTheyNeed) {
    const Plan made = plan(R"({"video":"2.mp4","speech":"s","output":"3.mp4"})"
                           "\n"
                           R"({"video":"1.mp4","speech":"s","output":"2.mp4","name":"two"})"
                           "\n"
                           R"({"video":"x.mp4","speech":"s","output":"y.mp4","depends":["two"]})");
    ASSERT_EQ(made.jobs.size(), 3U);
    EXPECT_EQ(made.jobs[0].line, 2);
    EXPECT_EQ(made.jobs[0].depth, 0);
    EXPECT_EQ(made.jobs[1].line, 1) << "it reads what line 2 writes";
    EXPECT_EQ(made.jobs[1].depends, std::vector<std::uint32_t>{0});
    EXPECT_EQ(made.jobs[2].depends, std::vector<std::uint32_t>{0});
}

TEST_F(Plans, ALongChainIsNoDeepStack) {
    std::string text;
    constexpr int kLong = 50000;
    for (int i = 0; i < kLong; ++i)
        text +=
            "{\"video\":\"" + std::to_string(i + 1) + "\",\"speech\":\"s\",\"output\":\"" + std::to_string(i) + "\"}\n";
    const Plan made = plan(text);
    EXPECT_EQ(made.jobs.back().line, 1);
    EXPECT_EQ(made.jobs.back().depth, kLong - 1);
}

TEST_F(Plans, ConfigurationFillsInWhatJobsDoNotSay) {
    PlanOptions wishes;
    wishes.defaults = {{"crf", "20"}, {"seed", "3"}};
    const Plan made = plan(R"({"video":"a","speech":"s","output":"o","seed":7})", "jobs.jsonl", wishes);
    EXPECT_EQ(made.jobs[0].option("seed"), "7");
    EXPECT_EQ(made.jobs[0].option("crf"), "20");
}

TEST_F(Plans, AMovedFolderKeepsItsJobs) {
    const std::string text = R"({"video":"a","speech":"s","output":"out/o"})";
    EXPECT_EQ(plan(text, "x/jobs.jsonl").jobs[0].id, plan(text, "y/other.jsonl").jobs[0].id);
}

// Acceptance: 100,000 lines in less than 300 MB; how long that takes is measured in benchmarks/batch_plan.cpp.
TEST_F(Plans, AHundredThousandLinesFitIntoMemory) {
    std::string text;
    constexpr int kLines = 100000;
    for (int i = 0; i < kLines; ++i) {
        const std::string n = std::to_string(i);
        text += "{\"video\":\"footage/scene-" + n + "/take.mp4\",\"speech\":\"speech/fr/line-" + n +
                ".wav\",\"output\":\"out/fr/{video.stem}-" + n + ".mp4\",\"engine\":\"none\",\"seed\":" + n +
                ",\"report\":\"out/fr/report-{line}.json\"}\n";
    }
    test::write_bytes(folder_ / "jobs.jsonl", text);
    text.clear();
    text.shrink_to_fit();
    rusage before{};
    getrusage(RUSAGE_SELF, &before);
    const Plan made = make_plan((folder_ / "jobs.jsonl").string(), table_, {});
    rusage after{};
    getrusage(RUSAGE_SELF, &after);
    EXPECT_EQ(made.jobs.size(), static_cast<std::size_t>(kLines));
    EXPECT_LT(after.ru_maxrss, 300 * 1000) << "KiB, the whole process";
}

}  // namespace
}  // namespace omnisync::batch
