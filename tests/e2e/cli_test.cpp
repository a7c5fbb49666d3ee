// The command as scripts and people meet it: words, exit codes, precedence, messages, help.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "support/dub.h"
#include "support/paths.h"
#include "support/process.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

constexpr int kBadConfig = 78;

std::vector<std::string> lines_of(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    return lines;
}

class Cli : public testing::Test {
protected:
    // No configuration of the person who runs the tests.
    ProcessResult omnisync(Words words, std::vector<std::string> environment = {}) {
        words.insert(words.begin(), command_path());
        environment.push_back("XDG_CONFIG_HOME=" + (folder_ / "xdg").string());
        ProcessOptions options;
        options.folder = folder_.path();
        options.environment = std::move(environment);
        return run(words, options);
    }

    void write(const std::string& name, const std::string& text) {
        fs::create_directories((folder_ / name).parent_path());
        write_bytes(folder_ / name, text);
    }

    // The value and the origin of an option after everything was merged.
    std::pair<std::string, std::string> option(const std::string& section, const std::string& name, Words words = {},
                                               const std::vector<std::string>& environment = {}) {
        words.insert(words.end(), {"doctor", "--options", "--json"});
        const auto result = omnisync(words, environment);
        EXPECT_TRUE(result.ok()) << result.summary();
        for (const Json& entry : Json::parse(result.out))
            if (entry["section"] == section && entry["option"] == name)
                return {entry["value"].get<std::string>(), entry["origin"].get<std::string>()};
        ADD_FAILURE() << "no option " << section << "." << name;
        return {};
    }

    TempDir folder_;
};

using Pair = std::pair<std::string, std::string>;

// Wrong usage: words, and what the message says.
struct Slip {
    const char* name;
    Words words;
    const char* says;
};
void PrintTo(const Slip& slip, std::ostream* out) {
    *out << slip.name;
}

class Slips : public Cli, public testing::WithParamInterface<Slip> {};

TEST_P(Slips, AreToldInOneLine) {
    const auto result = omnisync(GetParam().words);
    EXPECT_TRUE(failed_with(result, kUsage, GetParam().says));
    EXPECT_EQ(line_count(result.err), 1) << result.err;
}

const std::vector<Slip> kSlips{
    {"nothing", {}, "no command given"},
    {"command", {"dbu", "a", "b"}, "unknown command 'dbu': did you mean 'dub'?"},
    {"later_command", {"serve"}, "unknown command 'serve'"},
    {"long_option", {"dub", "a", "b", "--outpt", "c"}, "unknown option '--outpt': did you mean '--output'?"},
    {"global_option", {"--log-levle", "debug", "doctor"}, "did you mean '--log-level'?"},
    {"option_with_value", {"dub", "a", "b", "-o", "c", "--crff=18"}, "unknown option '--crff': did you mean '--crf'?"},
    {"no_video", {"dub", "-o", "c"}, "VIDEO is missing"},
    {"no_speech", {"dub", "a", "-o", "c"}, "SPEECH is missing"},
    {"no_output", {"dub", "a", "b"}, "-o OUT is missing"},
    {"too_many", {"dub", "a", "b", "c", "-o", "d"}, "one word too many: 'c'"},
    {"video_is_stdin", {"dub", "-", "b", "-o", "c"}, "VIDEO cannot be '-'"},
    {"speech_is_stdin", {"dub", "a", "-", "-o", "c"}, "SPEECH cannot be '-': standard input cannot be read twice"},
    {"output_is_stdout", {"dub", "a", "b", "-o", "-"}, "the output cannot be '-'"},
    {"empty_name", {"dub", "", "b", "-o", "c"}, "VIDEO is an empty name"},
    {"no_value", {"dub", "a", "b", "-o"}, "--output needs a value"},
    {"option_as_value", {"dub", "a", "b", "-o", "--force"}, "--output needs a value, not '--force'"},
    {"twice", {"dub", "a", "b", "-o", "c", "-o", "d"}, "--output is given more than once"},
    {"not_a_number", {"dub", "a", "b", "-o", "c", "--crf", "good"}, "--crf must be a number from 0 to 255, not 'good'"},
    {"out_of_range", {"dub", "a", "b", "-o", "c", "--keep-audio", "3"}, "--keep-audio must be a number from -200 to 0"},
    {"not_finite", {"dub", "a", "b", "-o", "c", "--offset", "nan"}, "--offset must be a number"},
    {"not_whole", {"--threads", "2.5", "doctor"}, "--threads must be a whole number from 0 to 1024"},
    {"steps", {"dub", "a", "b", "-o", "c", "--steps", "-1"}, "--steps must be a whole number from 0 to 1000, not '-1'"},
    {"strength", {"dub", "a", "b", "-o", "c", "--strength", "2.1"}, "--strength must be a number from 0 to 2"},
    {"denied", {"dub", "a", "b", "-o", "c", "--no-marks"}, "unknown option '--no-marks': did you mean '--no-mark'?"},
    {"choice", {"dub", "a", "b", "-o", "c", "--sync", "bouce"}, "did you mean 'bounce'?"},
    {"device", {"--device", "cuda:x", "doctor"}, "--device must be auto, cpu, cuda or cuda:N"},
    {"dash_name", {"dub", "-video.mp4", "b", "-o", "c"}, "unknown option '-video.mp4'"},
    {"report_is_output", {"dub", "a", "b", "-o", "c", "--report", "c"}, "--report and --output name the same file"},
};
INSTANTIATE_TEST_SUITE_P(All, Slips, testing::ValuesIn(kSlips), [](const auto& info) { return info.param.name; });

TEST_F(Cli, EnginesThatAreNotThereAreUnavailable) {
    for (const auto& [engine, say] : {std::pair{"portable", "use --engine none"}, {"xdub", "missing X-Dub_model"}}) {
        // A folder for it that is empty is found before the weights that ship.
        fs::create_directories(folder_ / "models" / engine);
        const auto result = omnisync({"dub", "a", "b", "-o", "c", "--engine", engine, "--models", "models"});
        EXPECT_TRUE(failed_with(result, kUnavailable, say)) << engine;
        EXPECT_EQ(line_count(result.err), 1);
    }
}

TEST_F(Cli, OneErrorIsOneLineWhateverTheNamesHold) {
    for (const std::string name : {"a\nb.mp4", "a\r\x1b[31mb", "caf\xe9", "\u2028", "-dash", "--", "'quoted'"}) {
        const auto result = omnisync({"dub", "--engine", "none", "-o", "out.mp4", "--", name, "speech.wav"});
        EXPECT_TRUE(failed_with(result, kNoInput, "cannot read")) << name;
        EXPECT_EQ(line_count(result.err), 1) << result.err;
        EXPECT_TRUE(std::none_of(result.err.begin(), result.err.end() - 1, [](unsigned char byte) {
            return byte < 0x20 || byte == 0x7F;
        })) << result.err;
    }
}

TEST_F(Cli, ProgramsGetTheErrorAsJson) {
    for (const Words& style : {Words{"--progress", "json"}, Words{"--log-format=json"}}) {
        for (const Words& rest : {Words{"dub", "a\n\"b\"", "c", "-o", "d", "--engine", "none"}, Words{"dbu"}}) {
            Words words = style;
            words.insert(words.end(), rest.begin(), rest.end());
            const auto result = omnisync(words);
            const auto lines = lines_of(result.err);
            ASSERT_EQ(lines.size(), 1U) << result.err;
            const Json event = Json::parse(lines[0]);
            EXPECT_EQ(event["event"], "error");
            EXPECT_EQ(event["exit"], result.exit_code);
            EXPECT_FALSE(event["message"].get<std::string>().empty());
        }
    }
}

TEST_F(Cli, TheCommandLineBeatsTheEnvironmentBeatsTheFileBeatsTheDefault) {
    EXPECT_EQ(option("dub", "crf"), (Pair{"", "default"}));
    EXPECT_EQ(option("", "log-level"), (Pair{"info", "default"}));
    write("omnisync.toml", "log-level = \"warn\"\n[dub]\ncrf = 20\n");
    EXPECT_EQ(option("dub", "crf"), (Pair{"20", "omnisync.toml:3"}));
    EXPECT_EQ(option("", "log-level"), (Pair{"warn", "omnisync.toml:1"}));
    EXPECT_EQ(option("dub", "crf", {}, {"OMNISYNC_CRF=18"}), (Pair{"18", "environment OMNISYNC_CRF"}));
    EXPECT_EQ(option("", "log-level", {}, {"OMNISYNC_LOG_LEVEL=error"}),
              (Pair{"error", "environment OMNISYNC_LOG_LEVEL"}));
    EXPECT_EQ(option("", "log-level", {"--log-level", "debug"}, {"OMNISYNC_LOG_LEVEL=error"}),
              (Pair{"debug", "command line"}));
}

TEST_F(Cli, AFlagCanBeTakenBackOnTheCommandLine) {
    EXPECT_EQ(option("dub", "force", {}, {"OMNISYNC_FORCE=1"}), (Pair{"true", "environment OMNISYNC_FORCE"}));
    EXPECT_EQ(option("", "quiet", {"--quiet=false"}, {"OMNISYNC_QUIET=yes"}), (Pair{"false", "command line"}));
}

TEST_F(Cli, AnEmptyVariableIsNoVariable) {
    EXPECT_EQ(option("dub", "crf", {}, {"OMNISYNC_CRF="}), (Pair{"", "default"}));
}

TEST_F(Cli, TheFirstConfigurationFileThatExistsIsTheOne) {
    write("xdg/omnisync/config.toml", "threads = 3\n");
    EXPECT_EQ(option("", "threads").first, "3");
    write("omnisync.toml", "[dub]\nsync = \"loop\"\n");
    EXPECT_EQ(option("", "threads").first, "0") << "files are not merged";
    write("named.toml", "threads = 5\n");
    EXPECT_EQ(option("", "threads", {"--config", "named.toml"}), (Pair{"5", "named.toml:1"}));
    EXPECT_EQ(option("", "threads", {}, {"OMNISYNC_CONFIG=named.toml"}), (Pair{"5", "named.toml:1"}));
    EXPECT_EQ(option("dub", "sync", {"--config", "/dev/null"}), (Pair{"auto", "default"}));
}

TEST_F(Cli, AWrongVariableIsNamed) {
    const auto result = omnisync({"dub", "a", "b", "-o", "c"}, {"OMNISYNC_CRF=good"});
    EXPECT_TRUE(failed_with(result, kUsage, "OMNISYNC_CRF"));
}

struct WrongFile {
    const char* name;
    const char* text;
    const char* says;
};
void PrintTo(const WrongFile& wrong, std::ostream* out) {
    *out << wrong.name;
}

class WrongFiles : public Cli, public testing::WithParamInterface<WrongFile> {};

TEST_P(WrongFiles, AreRefusedWithFileAndLine) {
    write("omnisync.toml", GetParam().text);
    const auto result = omnisync({"dub", "a", "b", "-o", "c", "--engine", "none"});
    EXPECT_TRUE(failed_with(result, kBadConfig, GetParam().says));
    EXPECT_EQ(line_count(result.err), 1) << result.err;
}

const std::vector<WrongFile> kWrongFiles{
    {"key", "threads = 1\n[dub]\n\ncfr = 20\n", "omnisync.toml:4: unknown key 'cfr' in [dub]: did you mean 'crf'?"},
    {"top_key", "treads = 1\n", "omnisync.toml:1: unknown key 'treads' at the top level: did you mean 'threads'?"},
    {"section", "[dbu]\n", "omnisync.toml:1: unknown section [dbu]: did you mean 'dub'?"},
    {"global_in_section", "[dub]\nthreads = 1\n", "it belongs at the top of the file"},
    {"section_key_at_top", "crf = 20\n", "it belongs into the section [dub]"},
    {"line_only", "[dub]\noutput = 'x.mp4'\n", "it is for the command line only"},
    {"config_in_config", "config = 'x.toml'\n", "it is for the command line only"},
    {"text_for_number", "[dub]\ncrf = 'low'\n", "omnisync.toml:2: 'crf' must be a number"},
    {"number_for_flag", "[dub]\nforce = 1\n", "omnisync.toml:2: 'force' must be true or false"},
    {"fraction_for_whole", "threads = 1.5\n", "omnisync.toml:1: 'threads' must be a whole number"},
    {"list", "[dub]\nsync = ['cut']\n", "omnisync.toml:2: 'sync' must be a text"},
    {"table_for_value", "[dub.crf]\nx = 1\n", "'crf' must be a number"},
    {"range", "[dub]\ncrf = 900\n", "omnisync.toml:2: 'crf' must be a number from 0 to 255"},
    {"choice", "[dub]\nsync = 'bounec'\n", "did you mean 'bounce'?"},
    {"other_section", "[inspect]\nstrickt = true\n", "did you mean 'strict'?"},
    {"no_toml", "this is not toml\n", "omnisync.toml:1"},
    {"twice", "threads = 1\nthreads = 2\n", "omnisync.toml:2"},
    {"newline_key", "\"a\\nb\" = 1\n", "unknown key 'a\\nb'"},
};
INSTANTIATE_TEST_SUITE_P(All, WrongFiles, testing::ValuesIn(kWrongFiles),
                         [](const auto& info) { return info.param.name; });

TEST_F(Cli, AConfigurationFileThatCannotBeReadIsNamed) {
    EXPECT_TRUE(failed_with(omnisync({"--config", "absent.toml", "doctor"}), kBadConfig, "'absent.toml'"));
    EXPECT_TRUE(failed_with(omnisync({"--config", ".", "doctor"}), kBadConfig, "it is a folder"));
    EXPECT_TRUE(failed_with(omnisync({"--config", "/dev/zero", "doctor"}), kBadConfig, "over 1 MiB"));
}

TEST_F(Cli, HelpOfEveryCommandEndsWithTwoExamples) {
    for (const char* command : {"dub", "inspect", "compare", "doctor"}) {
        const auto result = omnisync({command, "--help"});
        ASSERT_TRUE(result.ok()) << result.summary();
        EXPECT_EQ(result.err, "");
        const auto start = result.out.find("\nExamples:\n");
        ASSERT_NE(start, std::string::npos);
        int examples = 0;
        for (const auto& line : lines_of(result.out.substr(start))) examples += line.starts_with("  omnisync ") ? 1 : 0;
        EXPECT_EQ(examples, 2) << command;
        EXPECT_EQ(omnisync({"help", command}).out, result.out);
    }
    EXPECT_TRUE(omnisync({"--help"}).ok());
    EXPECT_TRUE(omnisync({"dub", "--crf", "wrong", "--help"}).ok()) << "who asks for help gets it";
}

TEST_F(Cli, EveryOptionInTheHelpIsInTheDocumentation) {
    const std::string document = read_bytes(source_root() / "docs" / "cli.md");
    std::set<std::string> options;
    for (const Words& words : {Words{"--help"}, Words{"dub", "--help"}, Words{"inspect", "--help"},
                               Words{"compare", "--help"}, Words{"doctor", "--help"}, Words{"batch", "--help"}}) {
        const std::string text = omnisync(words).out;
        const std::regex pattern("--[a-z][a-z-]*");
        for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it)
            options.insert(it->str());
    }
    EXPECT_GE(options.size(), 25U);
    for (const std::string& option : options)
        EXPECT_TRUE(std::regex_search(document, std::regex(option + "[^a-z-]"))) << option;
}

TEST_F(Cli, VersionIsForPeopleAndPrograms) {
    const auto plain = omnisync({"--version"});
    ASSERT_TRUE(plain.ok()) << plain.summary();
    EXPECT_TRUE(std::regex_match(plain.out, std::regex("omnisync \\d+\\.\\d+\\.\\d+ \\(.+\\)\n"))) << plain.out;
    const Json version = Json::parse(omnisync({"--version", "--json"}).out);
    EXPECT_TRUE(plain.out.find(version["omnisync"].get<std::string>()) != std::string::npos);
    EXPECT_FALSE(version["commit"].get<std::string>().empty());
}

TEST_F(Cli, VersionAndHelpLoadNothingHeavy) {
    for (const Words& words : {Words{"--version"}, Words{"dub", "--help"}}) {
        const auto result = omnisync(words, {"LD_DEBUG=libs"});
        ASSERT_NE(result.err.find("libomnisync_base"), std::string::npos) << "LD_DEBUG shows what is loaded";
        for (const char* library : {"libav", "libopencv", "libtorch", "libc10", "libcu", "libomnisync_commands"})
            EXPECT_EQ(result.err.find(library), std::string::npos) << library;
    }
}

TEST_F(Cli, OptionsOfEveryCommandStandOnEitherSide) {
    EXPECT_EQ(option("", "threads", {"--threads", "7"}).first, "7");
    const auto result = omnisync({"doctor", "--options", "--json", "--threads", "7"});
    EXPECT_NE(result.out.find("\"7\""), std::string::npos);
}

TEST_F(Cli, AResultThatCannotBeWrittenIsAnError) {
    const std::string command = command_path();
    for (const char* words : {"--version", "--help", "doctor --options", "--bash-completion"})
        for (const char* broken : {">/dev/full", ">&-"}) {
            const auto result = run({"sh", "-c", command + " " + words + " " + broken});
            EXPECT_TRUE(failed_with(result, kIo, "standard output")) << words << broken;
        }
}

TEST_F(Cli, BashCompletesCommandsOptionsAndChoices) {
    const std::string setup = "source <(\"" + command_path().string() + "\" --bash-completion); ";
    const auto completes = [&](const std::string& words, int index) {
        return run({"bash", "-c",
                    setup + "COMP_WORDS=(" + words + "); COMP_CWORD=" + std::to_string(index) +
                        "; _omnisync; echo \"${COMPREPLY[@]}\""})
            .out;
    };
    EXPECT_EQ(completes("omnisync d", 1), "dub doctor\n");
    EXPECT_EQ(completes("omnisync dub --sync b", 3), "bounce\n");
    EXPECT_EQ(completes("omnisync --quiet dub --vid", 3), "--video-codec\n");
}

TEST_F(Cli, DoctorSaysWhatIsHere) {
    const auto result = omnisync({"doctor", "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json report = Json::parse(result.out);
    EXPECT_TRUE(report["encoders"]["libx264"].get<bool>());
    EXPECT_GT(report["machine"]["cores"].get<int>(), 0);
    EXPECT_GT(report["machine"]["memory_bytes"].get<double>(), 1e8);
    EXPECT_TRUE(report["problems"].empty());
    for (const char* library : {"ffmpeg", "libavcodec", "opencv", "dlib"})
        EXPECT_FALSE(report["libraries"][library].get<std::string>().empty()) << library;
    const Json& compute = report["compute"];
    EXPECT_TRUE(compute["available"].get<bool>() ? !compute["gemm"].empty()
                                                 : !compute["reason"].get<std::string>().empty());
    const auto table = omnisync({"doctor"});
    EXPECT_TRUE(table.ok());
    EXPECT_EQ(lines_of(table.out).back(), "ready");
}

// One job, looked at from all sides.
class CliJob : public Cli {
protected:
    void SetUp() override {
        run_or_throw({"ffmpeg",
                      "-v",
                      "error",
                      "-nostdin",
                      "-f",
                      "lavfi",
                      "-i",
                      "testsrc2=s=160x120:r=25:d=2",
                      "-f",
                      "lavfi",
                      "-i",
                      "sine=d=2",
                      "-c:v",
                      "libx264",
                      "-preset",
                      "ultrafast",
                      "-pix_fmt",
                      "yuv420p",
                      "-c:a",
                      "aac",
                      (folder_ / "in.mp4").string()});
        write_wav(folder_ / "speech.wav", busy_track(16000, 16000), 16000);
    }
    ProcessResult job(const Words& extra, const std::vector<std::string>& environment = {}) {
        Words words{"dub", "in.mp4", "speech.wav", "-o", "out.mp4", "--engine", "none"};
        words.insert(words.end(), extra.begin(), extra.end());
        return omnisync(words, environment);
    }
};

TEST_F(CliJob, SaysWhatHappened) {
    const auto result = job({});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(line_count(result.out), 1) << result.out;
    EXPECT_TRUE(result.out.starts_with("out.mp4: 25 frames, 1.000 s, ")) << result.out;
    EXPECT_NE(result.err.find("omnisync: note: "), std::string::npos) << "cut to the speech: " << result.err;
}

TEST_F(CliJob, QuietIsQuiet) {
    const auto result = job({"--quiet"});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(result.out + result.err, "");
}

TEST_F(CliJob, ReportsAsJsonOnStdoutAndInAFile) {
    const auto result = job({"--json", "--report", "report.json", "--offset", "0.25"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json report = Json::parse(read_bytes(folder_ / "report.json"));
    EXPECT_EQ(report, Json::parse(result.out));
    EXPECT_EQ(report["output"]["path"], "out.mp4");
    EXPECT_EQ(report["output"]["bytes"].get<std::uintmax_t>(), fs::file_size(folder_ / "out.mp4"));
    EXPECT_DOUBLE_EQ(report["options"]["offset_s"].get<double>(), 0.25);
    EXPECT_EQ(report["sync"]["mode"], "cut");
    EXPECT_EQ(report["spans"][0]["state"], "passed");
    EXPECT_EQ(report["streams"].size(), 2U);
    const auto hash = run_or_throw({"sha256sum", (folder_ / "in.mp4").string()}).out;
    EXPECT_EQ(report["inputs"]["video"]["sha256"].get<std::string>(), hash.substr(0, 64));
}

TEST_F(CliJob, TheReportComesOnlyWithSuccess) {
    write("broken.wav", "this is no sound");
    const auto result =
        omnisync({"dub", "in.mp4", "broken.wav", "-o", "out.mp4", "--engine", "none", "--report", "r.json"});
    EXPECT_FALSE(result.ok());
    EXPECT_EQ(names_in(folder_.path()), (Words{"broken.wav", "in.mp4", "speech.wav"}));
}

TEST_F(CliJob, ReportsNamesThatAreNotUtf8) {
    fs::copy_file(folder_ / "in.mp4", folder_ / "caf\xe9.mp4");
    const auto result =
        omnisync({"dub", "caf\xe9.mp4", "speech.wav", "-o", "out.mp4", "--engine", "none", "--json", "--quiet"});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(Json::parse(result.out)["inputs"]["video"]["path"], "caf\uFFFD.mp4");
}

TEST_F(CliJob, StandardErrorIsAllJsonForPrograms) {
    const auto result = job({"--progress", "json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    std::set<std::string> events;
    Json last;
    for (const std::string& line : lines_of(result.err)) {
        const Json event = Json::parse(line);
        events.insert(event["event"].get<std::string>());
        if (event["event"] == "progress") last = event;
    }
    EXPECT_EQ(events, (std::set<std::string>{"log", "progress"}));
    EXPECT_EQ(last["state"], "end");
    EXPECT_EQ(last["frames"], 25);
}

TEST_F(CliJob, ADryRunTellsAndWritesNothing) {
    const auto before = names_in(folder_.path());
    const auto result = job({"--dry-run", "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json plan = Json::parse(result.out);
    EXPECT_EQ(plan["container"], "mp4");
    EXPECT_EQ(plan["streams"].size(), 2U);
    EXPECT_DOUBLE_EQ(plan["length_estimate_s"].get<double>(), 1.0);
    EXPECT_GT(plan["time_estimate_s"].get<double>(), 0);
    EXPECT_EQ(names_in(folder_.path()), before);
    EXPECT_TRUE(job({"--dry-run"}).out.starts_with("would write out.mp4 (mp4)"));
    EXPECT_EQ(names_in(folder_.path()), before);
}

TEST_F(CliJob, ADryRunMeetsTheErrorsOfTheRealOne) {
    EXPECT_TRUE(failed_with(job({"--dry-run", "--video-codec", "nonsense"}), kUnavailable, "nonsense"));
    write("out.mp4", "mine");
    EXPECT_FALSE(job({"--dry-run"}).ok());
    EXPECT_EQ(read_bytes(folder_ / "out.mp4"), "mine");
}

TEST_F(CliJob, ADryRunOfACopyCopiesNothing) {
    const auto result = job({"--dry-run", "--json", "--video-codec", "copy"});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(Json::parse(result.out)["video_encoder"], "copied (h264)");
    EXPECT_TRUE(failed_with(job({"--dry-run", "--video-codec", "copy", "--sync", "loop"}), kUsage, "copied picture"));
    EXPECT_TRUE(failed_with(job({"--video-codec", "copy", "--preview", "1"}), kUsage, "--preview"));
}

TEST_F(CliJob, APreviewStopsEarly) {
    const auto result = job({"--preview", "0.4", "--json"});
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_EQ(Json::parse(result.out)["output"]["frames"], 10);
}

TEST_F(CliJob, CompareAndInspectReadTheResult) {
    ASSERT_TRUE(job({"--video-codec", "lossless", "--sync", "silence"}).ok());
    const Json same = Json::parse(omnisync({"compare", "in.mp4", "out.mp4", "--json"}).out);
    EXPECT_EQ(same["frames"], 50);
    EXPECT_EQ(same["identical"], 50);
    EXPECT_EQ(same["same_timestamp"], 50);
    EXPECT_EQ(same["psnr_db"], nullptr) << "infinite";
    const Json seen = Json::parse(omnisync({"inspect", "out.mp4", "--json"}).out);
    EXPECT_EQ(seen["read"]["frames"], 50);
}

TEST_F(CliJob, TheEnvironmentAndTheFileReachTheJob) {
    write("omnisync.toml", "quiet = true\n[dub]\npreview = 0.2\n");
    const auto result = job({"--json"}, {"OMNISYNC_OFFSET=0.1"});
    ASSERT_TRUE(result.ok()) << result.summary();
    const Json report = Json::parse(result.out);
    EXPECT_DOUBLE_EQ(report["options"]["offset_s"].get<double>(), 0.1);
    EXPECT_EQ(report["output"]["frames"], 5);
    EXPECT_EQ(result.err, "");
}

}  // namespace
}  // namespace omnisync::test
