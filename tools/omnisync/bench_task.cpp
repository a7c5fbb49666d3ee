#include "bench_task.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "base/read_whole.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "bench_words.h"
#include "identity.h"
#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "qa.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr int kFormat = 1;

/// Discarded for what is no JSON.
Json read_json(const fs::path& path) {
    return Json::parse(read_whole(path).value_or(""), nullptr, false);
}

/// The pair's name as a part of a file name that no program takes for anything else.
std::string safe_name(const std::string& name) {
    std::string safe;
    for (const char letter : name.substr(0, 80)) {
        const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                           (letter >= '0' && letter <= '9') || letter == '-' || letter == '_' || letter == '.';
        safe += plain ? letter : '_';
    }
    if (safe.empty() || safe.front() == '-' || safe.front() == '.') safe.insert(safe.begin(), '_');
    return safe;
}

/// What a process said at its end: its last JSON message that is an error.
std::string error_in(const fs::path& log) {
    std::ifstream lines(log);
    std::string reason;
    for (std::string line; std::getline(lines, line);) {
        const Json event = Json::parse(line, nullptr, false);
        if (!event.is_object() || event.value("event", "") != "error") continue;
        const std::string hint = event.value("hint", "");
        reason = event.value("message", "") + (hint.empty() ? "" : ": " + hint);
    }
    return one_line(reason);
}

/// Whether a report of dub is of the very file that lies at `result`.
bool fits(const Json& report, const fs::path& result) {
    std::error_code absent;
    const auto bytes = fs::file_size(result, absent);
    if (absent || !report.is_object() || !report.contains("output")) return false;
    const Json& output = report["output"];
    if (output.value("bytes", std::uintmax_t{0}) != bytes) return false;
    return !output["sha256"].is_string() || output["sha256"] == key_of_file(result.string()).sha256;
}

Json to_json(const BenchRecord& record) {
    return {{"format", kFormat},
            {"key", record.key},
            {"state", record.state},
            {"stage", record.stage},
            {"exit", record.exit},
            {"reason", record.reason},
            {"result", record.result},
            {"pictures_redrawn", record.redrawn ? Json(*record.redrawn) : Json(nullptr)},
            {"figures", record.figures},
            {"demands", record.demands},
            {"features", record.features},
            {"reference_features", record.reference_features},
            {"shown_source", record.shown_source},
            {"shown_result", record.shown_result},
            {"timings", record.timings}};
}

BenchRecord record_of(const Json& document) {
    BenchRecord record;
    record.key = document.at("key");
    record.state = document.at("state");
    record.stage = document.at("stage");
    record.exit = document.at("exit");
    record.reason = document.at("reason");
    record.result = document.at("result");
    if (document.at("pictures_redrawn").is_number()) record.redrawn = document.at("pictures_redrawn");
    record.figures = document.at("figures");
    record.demands = document.at("demands");
    record.features = document.at("features");
    record.reference_features = document.at("reference_features");
    record.shown_source = document.at("shown_source");
    record.shown_result = document.at("shown_result");
    record.timings = document.at("timings");
    return record;
}

}  // namespace

BenchFolders::BenchFolders(const std::string& output)
    : root(output),
      results(root / "results"),
      records(root / "records"),
      reports(root / "reports"),
      evaluations(root / "evaluations"),
      features(root / "features"),
      page(root / "page"),
      logs(root / "logs") {}

std::optional<BenchRecord> load_record(const BenchFolders& folders, const std::string& key) {
    const Json document = read_json(folders.records / (key + ".json"));
    if (!document.is_object() || document.value("format", 0) != kFormat || document.value("key", "") != key)
        return std::nullopt;
    try {
        BenchRecord record = record_of(document);
        const bool is_final = record.done() || record.exit == static_cast<int>(ExitCode::bad_data);
        for (const std::string* file :
             {&record.result, &record.features, &record.reference_features, &record.shown_source, &record.shown_result})
            if (!file->empty() && !fs::exists(folders.root / *file)) return std::nullopt;
        return is_final ? std::optional(std::move(record)) : std::nullopt;
    } catch (const Json::exception&) {
        return std::nullopt;  // damaged: made anew
    }
}

BenchTask::BenchTask(const BenchRun& run, const BenchPair& pair, std::string key, std::string truth,
                     std::optional<std::string> output)
    : run_(run),
      pair_(pair),
      name_(safe_name(pair.name) + "." + key.substr(0, 8)),
      truth_(std::move(truth)),
      output_(std::move(output)) {
    record_.key = std::move(key);
}

std::string BenchTask::relative(const fs::path& folder, const std::string& extension) const {
    return (folder / (name_ + extension)).lexically_relative(run_.folders.root).string();
}

std::string BenchTask::result_path() const {
    if (output_) return *output_;
    const std::string extension = fs::path(pair_.video).extension().string();
    const bool matroska = extension == ".mkv" || extension == ".webm";
    return (run_.folders.results / (name_ + (matroska ? ".mkv" : ".mp4"))).string();
}

// Of the reference's contents: pairs with one reference share it.
std::string BenchTask::reference_features() const {
    return (run_.folders.features / (truth_ + ".json")).string();
}

std::string BenchTask::log_of(Stage stage) const {
    static constexpr std::array<const char*, 5> kNames{".dub", ".eval", ".reference", ".source-copy", ".result-copy"};
    return (run_.folders.logs / (name_ + kNames[static_cast<std::size_t>(stage)] + ".log")).string();
}

// What the process says on standard output; a report counts only once the process has ended well.
std::string BenchTask::output_of(Stage stage) const {
    if (stage == Stage::dub) return (run_.folders.reports / (name_ + ".json.unfinished")).string();
    return stage == Stage::eval ? (run_.folders.evaluations / (name_ + ".json")).string() : "/dev/null";
}

bool BenchTask::is_wanted(Stage stage) const {
    const bool there = record_.stage != "dub";
    switch (stage) {
        case Stage::dub:
            return !output_ && !fits(read_json(run_.folders.reports / (name_ + ".json")), result_path());
        case Stage::eval:
            return there && run_.command.measure;
        case Stage::reference:
            return there && run_.command.measure && !fs::exists(reference_features());
        case Stage::source_copy:
            return there && !plays_in_browsers(pair_.video);
        case Stage::result_copy:
            return there && !plays_in_browsers(result_path());
        case Stage::end:
            return true;
    }
    return false;
}

std::vector<std::string> BenchTask::words_of(Stage stage) const {
    const BenchFolders& folders = run_.folders;
    switch (stage) {
        case Stage::dub:
            return dub_words(run_, pair_, result_path());
        case Stage::eval:
            return eval_words(run_, pair_, result_path(), (folders.features / (name_ + ".json")).string());
        case Stage::source_copy:
            return source_copy_words(run_, pair_, (folders.page / (name_ + ".source.mp4")).string());
        case Stage::result_copy:
            return result_copy_words(run_, result_path(), (folders.page / (name_ + ".result.mp4")).string());
        case Stage::reference:
            return reference_words(run_, pair_, reference_features());
        case Stage::end:
            break;
    }
    return {};
}

bool BenchTask::advance() {
    if (child_) {
        const auto ended = child_->poll();
        if (!ended) return false;
        child_.reset();
        finish(stage_, *ended);
        stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    }
    while (!is_wanted(stage_)) {
        if (stage_ == Stage::dub && !output_) finish_dub();
        stage_ = static_cast<Stage>(static_cast<int>(stage_) + 1);
    }
    if (stage_ != Stage::end) {
        child_.emplace(words_of(stage_), output_of(stage_), log_of(stage_));
        return false;
    }
    if (output_)
        record_.result = *output_;
    else if (record_.stage != "dub")
        record_.result = fs::path(result_path()).lexically_relative(run_.folders.root).string();
    if (record_.state.empty()) record_.state = "done";
    const auto keep = [&](std::string& field, const fs::path& file) {
        if (run_.command.measure && fs::exists(file)) field = file.lexically_relative(run_.folders.root).string();
    };
    keep(record_.features, run_.folders.features / (name_ + ".json"));
    keep(record_.reference_features, reference_features());
    save();
    return true;
}

void BenchTask::finish(Stage stage, const Ended& ended) {
    static constexpr std::array<const char*, 5> kNames{"dub", "eval", "reference", "source_copy", "result_copy"};
    const char* const name = kNames[static_cast<std::size_t>(stage)];
    record_.timings[name] = {{"seconds", ended.seconds}, {"peak_memory_bytes", ended.peak_bytes}};
    if (stage == Stage::dub && ended.ok()) {
        fs::rename(output_of(stage), run_.folders.reports / (name_ + ".json"));
        finish_dub();
    }
    if (stage == Stage::dub && !ended.ok()) fail_with(name, ended, log_of(stage));
    if (stage == Stage::eval) finish_eval(ended);
    // A copy that cannot be made costs the page a player, not the pair its result.
    if (stage == Stage::source_copy && ended.ok()) record_.shown_source = relative(run_.folders.page, ".source.mp4");
    if (stage == Stage::result_copy && ended.ok()) record_.shown_result = relative(run_.folders.page, ".result.mp4");
}

void BenchTask::finish_dub() {
    const Json report = read_json(run_.folders.reports / (name_ + ".json"));
    const Json engine = report.is_object() ? report.value("engine", Json(nullptr)) : Json(nullptr);
    record_.redrawn = engine.is_object() ? engine.value("pictures_redrawn", std::int64_t{0}) : 0;
}

void BenchTask::finish_eval(const Ended& ended) {
    const Json document = read_json(run_.folders.evaluations / (name_ + ".json"));
    if ((!ended.ok() && ended.exit_code != kBelowDemands) || !document.is_object())
        return fail_with("eval", ended, log_of(Stage::eval));
    record_.figures = document.value("figures", Json::object());
    // Without the truth there is nothing for these to be near to.
    if (pair_.reference.empty())
        for (const char* figure : {"lmd", "opening_correlation"})
            if (record_.figures.contains(figure))
                record_.figures[figure].update({{"value", nullptr}, {"note", "no reference of the same speech"}});
    if (document.contains("qa") && document["qa"].is_object())
        record_.demands = document["qa"].value("demands", Json::array());
}

void BenchTask::fail_with(const std::string& stage, const Ended& ended, const std::string& log) {
    record_.state = "failed";
    record_.stage = stage;
    record_.exit = ended.exit_code;
    record_.reason = error_in(log);
    if (ended.signal != 0) record_.reason = concat("it was killed by signal ", ended.signal);
    if (record_.reason.empty()) record_.reason = concat("it ended with exit code ", ended.exit_code);
}

void BenchTask::save() const {
    StagedFile file((run_.folders.records / (record_.key + ".json")).string(), true, {});
    file.write(dump(to_json(record_)) + "\n");
    file.publish();
}

void BenchTask::send(int signal) const {
    if (child_) child_->send(signal);
}

}  // namespace omnisync::command
