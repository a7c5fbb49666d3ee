// `omnisync batch` as people and scripts meet it: job files, names that look like code, options and their sources,
// retries, signals, what clusters are given.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "support/batch_scene.h"
#include "support/dub.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

class Batch : public testing::Test {
protected:
    void jobs(const std::string& text, const std::string& name = "jobs.jsonl") { write_bytes(scene_ / name, text); }

    ProcessResult batch(const std::string& action, const Words& extra = {}, ProcessOptions options = {}) {
        return scene_.run(action, extra, std::move(options));
    }

    /// The state of the job with this output.
    Json job(const std::string& output) {
        const Json now = scene_.status();
        for (const Json& one : now["jobs"])
            if (one["output"] == (scene_ / output).string()) return one;
        ADD_FAILURE() << "no job makes " << output;
        return {};
    }

    BatchScene scene_;
};

#define MEDIA "\"video\":\"footage/a.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\""

TEST_F(Batch, GoesThroughAFileAndKnowsItTheNextTime) {
    jobs("{" MEDIA
         ",\"output\":\"out/{video.stem}.mp4\",\"report\":\"out/{video.stem}.json\"}\n"
         "{\"video\":\"bad/text.mp4\",\"speech\":\"speech/a.wav\",\"output\":\"out/bad.mp4\",\"engine\":\"none\"}\n");
    const auto first = batch("run", {"--json"});
    EXPECT_EQ(first.exit_code, kBadData) << first.summary();
    const Json told = Json::parse(first.out);
    EXPECT_EQ(told["done"], 1);
    ASSERT_EQ(told["failures"].size(), 1U);
    EXPECT_EQ(told["failures"][0]["line"], 2);
    EXPECT_EQ(told["failures"][0]["exit"], kBadData);
    EXPECT_FALSE(told["failures"][0]["reason"].get<std::string>().empty());
    const Json report = Json::parse(read_bytes(scene_ / "out/a.json"));
    EXPECT_EQ(report["output"]["path"], (scene_ / "out/a.mp4").string()) << "as the file is called in the end";
    const auto second = Json::parse(batch("run", {"--json"}).out);
    EXPECT_EQ(second["done"], 0);
    EXPECT_EQ(second["already_done"], 1);
    EXPECT_EQ(second["failed"], 1) << "bad input is not tried again";
    EXPECT_EQ(scene_.leftovers(), Words{});
}

TEST_F(Batch, AnyNameIsAName) {
    std::string text;
    int number = 0;
    for (const std::string name : {"with space", "quo'te", "quo\"te", "-dash", "--force", "new\nline", "$(touch x)",
                                   "`x`;&|", "per%cent", "back\\slash", "*?[a]", "umlaut-\xc3\xa4", "{}"}) {
        fs::copy_file(scene_ / "footage/a.mp4", scene_ / (name + ".mp4"));
        fs::copy_file(scene_ / "speech/a.wav", scene_ / (name + ".wav"));
        std::string braces = name == "{}" ? "{{}}" : name;
        text += Json{{"video", name + ".mp4"},
                     {"speech", braces + ".wav"},
                     {"output", "out/{video.stem}.mp4"},
                     {"engine", "none"}}
                    .dump() +
                "\n";
        ++number;
    }
    jobs(text);
    const auto result = batch("run", {"--json"});
    EXPECT_TRUE(result.ok()) << result.summary() << result.out;
    EXPECT_EQ(static_cast<int>(names_in(scene_ / "out").size()), number);
    EXPECT_TRUE(fs::exists(scene_ / "out/new\nline.mp4"));
    EXPECT_FALSE(fs::exists(scene_ / "x"));
}

TEST_F(Batch, BadFilesAreRefusedInOneLineBeforeAnythingIsDone) {
    struct Case {
        const char* text;
        int code;
        const char* says;
    };
    const std::vector<Case> cases{
        {"{" MEDIA ",\"output\":\"o.mp4\",\"enigne\":\"none\"}", kBadData, ":1: unknown option 'enigne'"},
        {"{" MEDIA ",\"output\":\"o.mp4\"}\n{" MEDIA ",\"output\":\"./o.mp4\"}", kBadData, ":2: 'output' is"},
        {"{" MEDIA ",\"output\":\"o.mp4\",\"crf\":\"best\"}", kBadData, ":1: 'crf' must be a number"},
        {"{" MEDIA ",\"output\":\"o.mp4\",\"crf\":999}", kBadData, ":1: 'crf' must be a number from 0 to 255"},
        {"{" MEDIA ",\"output\":\"o.mp4\",\"sync\":\"bounec\"}", kBadData, "did you mean 'bounce'?"},
        {"{" MEDIA ",\"output\":\"../o.mp4\"}", kNotAllowed, ":1: 'output' is"},
        {"{" MEDIA ",\"output\":\"footage/a.mp4\"}", kNotAllowed, "its own 'video'"},
        {"{" MEDIA ",\"output\":\"o.mp4\",\"dry-run\":true}", kBadData, "cannot stand in a job file"},
        {"{" MEDIA ",\"output\":\"a.mp4\",\"name\":\"a\",\"depends\":\"a\"}", kBadData, "in a circle"},
    };
    for (const Case& one : cases) {
        jobs(one.text);
        for (const char* action : {"run", "status"})
            EXPECT_TRUE(failed_with(batch(action), one.code, one.says)) << one.text;
    }
    EXPECT_EQ(names_in(scene_ / "out"), Words{});
    EXPECT_FALSE(fs::exists(scene_ / "jobs.jsonl.state"));
    fs::remove(scene_ / "jobs.jsonl");
    EXPECT_TRUE(failed_with(batch("run"), kNoInput, "cannot read the job file"));
    EXPECT_TRUE(failed_with(batch("rnu"), kUsage, "did you mean 'run'?"));
}

// An option of dub's that is new is an option of job files without anybody's doing; one with a file has to be known.
TEST_F(Batch, EveryOptionOfDubIsKnown) {
    const auto listed = run({command_path(), "dub", "--help"});
    std::istringstream lines(listed.out);
    int options = 0;
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with("  -") || line.find("--") == std::string::npos) continue;
        std::string name = line.substr(line.find("--") + 2);
        name = name.substr(0, name.find_first_of(" ,"));
        if (name == "output") continue;
        ++options;
        jobs("{" MEDIA ",\"output\":\"o.mp4\",\"" + name + "\":{}}");
        EXPECT_TRUE(failed_with(batch("status"), kBadData, "'" + name + "' is an object")) << name;
    }
    EXPECT_GT(options, 25);
}

TEST_F(Batch, ConfigurationAndEnvironmentSpeakForJobsThatDoNot) {
    jobs("{" MEDIA
         ",\"output\":\"out/a.mp4\",\"report\":\"a.json\",\"crf\":30}\n"
         "{" MEDIA ",\"output\":\"out/b.mp4\",\"report\":\"b.json\"}\n");
    write_bytes(scene_ / "omnisync.toml", "[dub]\ncrf = 12\nsync = 'silence'\n");
    ProcessOptions options;
    options.environment = {"OMNISYNC_OFFSET=0.25", "OMNISYNC_JSON=0"};
    const auto result = batch("run", {}, options);
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json a = Json::parse(read_bytes(scene_ / "a.json"))["options"];
    const Json b = Json::parse(read_bytes(scene_ / "b.json"))["options"];
    EXPECT_EQ(a["crf"], 30);
    EXPECT_EQ(b["crf"], 12);
    EXPECT_EQ(b["offset_s"], 0.25);
    EXPECT_EQ(b["sync"], "silence");
    EXPECT_EQ(job("out/b.mp4")["state"], "outdated") << "without the variable it is another job";
}

TEST_F(Batch, WhoDependsOnAFailureIsSkipped) {
    jobs(
        "{\"video\":\"bad/text.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\",\"output\":\"out/"
        "a.mp4\",\"name\":\"a\"}\n"
        "{" MEDIA
        ",\"output\":\"out/b.mp4\",\"depends\":[\"a\"]}\n"
        "{" MEDIA
        ",\"output\":\"out/c.mp4\"}\n"
        "{\"video\":\"out/c.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\",\"output\":\"out/d.mp4\"}\n");
    const Json told = Json::parse(batch("run", {"--json", "--workers", "2"}).out);
    EXPECT_EQ(told["done"], 2);
    EXPECT_EQ(told["failed"], 1);
    EXPECT_EQ(told["skipped"], 1);
    EXPECT_EQ(job("out/b.mp4")["state"], "skipped");
    EXPECT_EQ(job("out/d.mp4")["state"], "done") << "made of what another job made";
}

TEST_F(Batch, RetryTakesBackAFailure) {
    jobs(
        "{\"video\":\"bad/text.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\",\"output\":\"out/"
        "a.mp4\",\"name\":\"a\"}\n"
        "{" MEDIA ",\"output\":\"out/b.mp4\"}\n");
    EXPECT_EQ(batch("run").exit_code, kBadData);
    EXPECT_EQ(Json::parse(batch("retry", {"--json"}).out)["to_be_tried_again"], 1);
    EXPECT_EQ(job("out/a.mp4")["state"], "waiting");
    EXPECT_EQ(batch("run").exit_code, kBadData);
    EXPECT_EQ(job("out/a.mp4")["attempts"], 3) << "two attempts and a person";
    EXPECT_EQ(Json::parse(batch("retry", {"--json", "--name", "out/b.mp4"}).out)["to_be_tried_again"], 0);
    EXPECT_EQ(Json::parse(batch("retry", {"--json", "--all", "--name", "out/b.mp4"}).out)["to_be_tried_again"], 1);
    EXPECT_EQ(job("out/b.mp4")["state"], "outdated");
    EXPECT_EQ(Json::parse(batch("run", {"--json"}).out)["done"], 1) << "and its output is replaced";
    EXPECT_TRUE(failed_with(batch("retry", {"--name", "nobody"}), kUsage, "no job has that name"));
}

TEST_F(Batch, AStopTellsTheChildrenAndLosesNothing) {
    std::string text;
    for (int i = 0; i < 30; ++i) text += "{" MEDIA ",\"output\":\"out/" + std::to_string(i) + ".mp4\"}\n";
    jobs(text);
    ProcessOptions options;
    options.signal = SIGTERM;
    options.signal_when = [&] { return fs::exists(scene_ / "out") && names_in(scene_ / "out").size() >= 3; };
    const auto result = batch("run", {"--workers", "2"}, options);
    EXPECT_EQ(result.exit_code, kInterrupted) << result.summary();
    EXPECT_NE(result.err.find("run the same command again"), std::string::npos) << result.err;
    EXPECT_EQ(scene_.leftovers(), Words{});
    const Json counts = scene_.status()["counts"];
    EXPECT_EQ(counts["running"], 0);
    EXPECT_EQ(counts["failed"], 0);
    EXPECT_EQ(counts["waiting"].get<int>() + counts["done"].get<int>(), 30);
    EXPECT_GT(counts["waiting"].get<int>(), 0);
    EXPECT_TRUE(batch("run", {"--workers", "2"}).ok());
    EXPECT_EQ(scene_.status()["counts"]["done"], 30);
}

TEST_F(Batch, ADryRunEstimatesAndWritesNothing) {
    jobs("{" MEDIA
         ",\"output\":\"out/{index}.mp4\"}\n"
         "{\"video\":\"absent.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\",\"output\":\"out/b.mp4\"}\n");
    const auto result = batch("run", {"--dry-run", "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json plan = Json::parse(result.out);
    EXPECT_EQ(plan["to_do"], 2);
    EXPECT_EQ(plan["unreadable_inputs"].size(), 1U);
    ASSERT_EQ(plan["estimates"].size(), 1U);
    EXPECT_EQ(plan["estimates"][0]["basis"], "rehearsed");
    EXPECT_GT(plan["estimates"][0]["peak_memory_bytes"].get<double>(), 1e6);
    EXPECT_GT(plan["time_estimate_s"].get<double>(), 0);
    EXPECT_EQ(names_in(scene_ / "out"), Words{});
    EXPECT_FALSE(fs::exists(scene_ / "jobs.jsonl.state"));
}

TEST_F(Batch, ATaskIsOneOfThem) {
    jobs("{" MEDIA ",\"output\":\"out/a.mp4\"}\n{" MEDIA
         ",\"output\":\"out/b.mp4\"}\n"
         "{\"video\":\"absent.mp4\",\"speech\":\"speech/a.wav\",\"engine\":\"none\",\"output\":\"out/c.mp4\"}\n");
    EXPECT_TRUE(batch("task", {"--index", "1"}).ok());
    EXPECT_EQ(names_in(scene_ / "out"), Words{"b.mp4"});
    for (const char* name :
         {"OMNISYNC_TASK_INDEX", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"}) {
        ProcessOptions options;
        options.environment = {std::string(name) + "=2"};
        EXPECT_EQ(batch("task", {}, options).exit_code, kNoInput) << name << ": a task ends as its job does";
    }
    EXPECT_EQ(batch("task", {"--index", "0", "--items-per-task", "3"}).exit_code, kBadData);
    EXPECT_EQ(names_in(scene_ / "out").size(), 2U);
    EXPECT_TRUE(failed_with(batch("task", {"--index", "3"}), kUsage, "there is no such task"));
    EXPECT_TRUE(failed_with(batch("task"), kUsage, "which task?"));
    EXPECT_TRUE(failed_with(batch("task", {"--index", "0", "--expect", "else"}), kBadData, "submit them again"));
}

TEST_F(Batch, SlurmGetsAScriptThatAShellReadsAsMeant) {
    const fs::path folder = scene_ / "it's a $(folder)";
    fs::create_directory(folder);
    std::string text;
    for (int i = 0; i < 5; ++i)
        text +=
            Json{{"video", "../footage/a.mp4"}, {"speech", "../speech/a.wav"}, {"output", std::to_string(i)}}.dump() +
            "\n";
    write_bytes(folder / "jobs.jsonl", text);
    const auto result =
        run({command_path(), "batch", "submit", (folder / "jobs.jsonl").string(), "--slurm", "--dry-run", "--gres",
             "gpu:1", "--mem", "8G", "--partition", "main", "--parallel", "2", "--time", "1:00:00"});
    ASSERT_TRUE(result.ok()) << result.summary();
    for (const char* part : {"--array=0-4%2", "#SBATCH --gres=gpu:1\n", "#SBATCH --mem=8G\n", "#SBATCH --requeue\n",
                             "#SBATCH --time=1:00:00\n", "#SBATCH --partition=main\n"})
        EXPECT_NE(result.out.find(part), std::string::npos) << part << "\n" << result.out;
    // The script's last line with another program in the task's place: what does the shell make of the words?
    const std::size_t at = result.out.find("exec ");
    ASSERT_NE(at, std::string::npos);
    const auto said = run({"bash", "-c", "set -- " + result.out.substr(at + 5) + "printf '%s\\n' \"$@\""});
    EXPECT_NE(said.out.find("\n" + (folder / "jobs.jsonl").string() + "\n"), std::string::npos) << said.out << said.err;
    EXPECT_TRUE(failed_with(run({command_path(), "batch", "submit", (folder / "jobs.jsonl").string(), "--slurm",
                                 "--mem", "8G\n#SBATCH --uid=0"}),
                            kUsage, "must be letters"));
    EXPECT_TRUE(failed_with(run({command_path(), "batch", "submit", (folder / "jobs.jsonl").string()}), kUsage,
                            "needs one of"));
}

TEST_F(Batch, KubernetesAndOpenJobDescriptionGetDocuments) {
    scene_.write_jobs(3, 0);
    const auto k8s = batch("submit", {"--k8s", "--image", "example/omnisync:1", "--claim", "files", "--task-gpus", "1",
                                      "-o", (scene_ / "job.yaml").string()});
    ASSERT_TRUE(k8s.ok()) << k8s.summary();
    const std::string yaml = read_bytes(scene_ / "job.yaml");
    for (const char* part : {"completionMode: Indexed", "completions: 3", "values: [64, 65, 66, 69, 73, 76, 77, 78]",
                             "nvidia.com/gpu: 1", "claimName: \"files\"", "backoffLimitPerIndex: 3"})
        EXPECT_NE(yaml.find(part), std::string::npos) << part << "\n" << yaml;
    EXPECT_TRUE(failed_with(batch("submit", {"--k8s", "-o", (scene_ / "job.yaml").string()}), kUsage, "--image"));
    const auto openjd = batch("submit", {"--openjd", "-o", (scene_ / "job.template.json").string()});
    ASSERT_TRUE(openjd.ok()) << openjd.summary();
    const Json document = Json::parse(read_bytes(scene_ / "job.template.json"));
    EXPECT_EQ(document["specificationVersion"], "jobtemplate-2023-09");
    EXPECT_EQ(document["steps"][0]["parameterSpace"]["taskParameterDefinitions"][0]["range"], "0-2");
    const auto checked = run({"sh", "-c", "command -v openjd"});
    if (!checked.ok()) GTEST_SKIP() << "openjd (the Python package openjd-cli) is not on PATH: not validated";
    const auto valid = run({"openjd", "check", (scene_ / "job.template.json").string()});
    EXPECT_TRUE(valid.ok()) << valid.out << valid.summary();
    const auto ran = run({"openjd", "run", (scene_ / "job.template.json").string(), "--step", "wave0"});
    EXPECT_TRUE(ran.ok()) << ran.out << ran.summary();
    EXPECT_EQ(scene_.status()["counts"]["done"], 3);
}

}  // namespace
}  // namespace omnisync::test
