#include "bench_tables.h"

#include <algorithm>

#include "base/text.h"
#include "csv_table.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

// Numbers are written with what a figure's noise leaves of them.
constexpr int kDigits = 6;

std::string number_text(const std::optional<double>& value) {
    return value ? decimal(*value, kDigits) : "";
}

std::string joined(const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += (all.empty() ? "" : "; ") + part;
    return all;
}

std::string verdict_text(const Verdict& verdict) {
    return !verdict.passed ? "" : *verdict.passed ? "pass" : "fail";
}

Json json_of(const Mean& mean) {
    const auto known = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
    return {{"count", mean.count},
            {"mean", mean.count > 0 ? Json(mean.value) : Json(nullptr)},
            {"low", known(mean.low)},
            {"high", known(mean.high)}};
}

Json json_of(const BenchRow& row) {
    return {{"name", row.pair->name},
            {"group", row.pair->group},
            {"video", row.pair->video},
            {"speech", row.pair->speech},
            {"reference", row.pair->reference.empty() ? Json(nullptr) : Json(row.pair->reference)},
            {"state", row.record.state},
            {"stage", row.record.stage},
            {"exit", row.record.exit},
            {"reason", row.record.reason},
            {"success", row.success()},
            {"failed_checks", row.failed_checks},
            {"verdict", row.verdict.passed ? Json(verdict_text(row.verdict)) : Json(nullptr)},
            {"note", row.verdict.note},
            {"result", row.record.result},
            {"pictures_redrawn", row.record.redrawn ? Json(*row.record.redrawn) : Json(nullptr)},
            {"figures", row.record.figures},
            {"key", row.record.key}};
}

}  // namespace

std::string mean_text(const Mean& mean, int digits) {
    if (mean.count == 0) return "-";
    std::string text = decimal(mean.value, digits);
    if (mean.low) text += concat(" [", decimal(*mean.low, digits), ", ", decimal(*mean.high, digits), ']');
    return text;
}

std::string results_csv(const BenchResult& result) {
    const auto names = figure_names(result.rows);
    std::vector<std::string> header{"name",          "group",   "state", "success",         "reason",
                                    "failed_checks", "verdict", "note",  "pictures_redrawn"};
    header.insert(header.end(), names.begin(), names.end());
    header.insert(header.end(), {"video", "speech", "reference", "result"});
    std::string table = csv_line(header);
    for (const BenchRow& row : result.rows) {
        const BenchRecord& record = row.record;
        const std::string reason = record.reason.empty() ? "" : record.stage + ": " + record.reason;
        std::vector<std::string> fields{row.pair->name,
                                        row.pair->group,
                                        record.state,
                                        row.success() ? "1" : "0",
                                        reason,
                                        joined(row.failed_checks),
                                        verdict_text(row.verdict),
                                        row.verdict.note,
                                        record.redrawn ? std::to_string(*record.redrawn) : ""};
        for (const std::string& name : names) fields.push_back(number_text(row.figure(name)));
        fields.insert(fields.end(), {row.pair->video, row.pair->speech, row.pair->reference, record.result});
        table += csv_line(fields);
    }
    return table;
}

Json results_json(const BenchResult& result) {
    Json groups = Json::array();
    for (const GroupSummary& group : result.groups) {
        Json figures = Json::object();
        for (const std::string& name : figure_names(result.rows)) figures[name] = json_of(group.figures.at(name));
        groups.push_back({{"group", group.name},
                          {"pairs", group.pairs},
                          {"done", group.done},
                          {"success", json_of(group.success)},
                          {"passed_by_people", json_of(group.passed)},
                          {"figures", figures}});
    }
    Json rows = Json::array();
    for (const BenchRow& row : result.rows) rows.push_back(json_of(row));
    return {{"report", "omnisync bench"},
            {"format", 1},
            {"omnisync", build_json()},
            {"benchmark", result.command.benchmark},
            {"set", result.command.set},
            {"method", result.method},
            {"dub", result.command.dub},
            {"eval", result.command.eval},
            {"bootstrap", {{"resamples", result.command.resamples}, {"seed", result.command.seed}, {"share", 0.95}}},
            {"frechet",
             {{"value", result.frechet.value ? Json(*result.frechet.value) : Json(nullptr)},
              {"features", result.frechet.features}}},
            {"groups", groups},
            {"pairs", rows}};
}

std::string timings_csv(const BenchResult& result) {
    std::string table = csv_line({"name", "stage", "seconds", "peak_memory_bytes"});
    for (const BenchRow& row : result.rows)
        for (const auto& [stage, timing] : row.record.timings.items())
            table += csv_line({row.pair->name, stage, decimal(timing.value("seconds", 0.0), 3),
                               std::to_string(timing.value("peak_memory_bytes", std::int64_t{0}))});
    return table;
}

std::string verdicts_csv(const BenchResult& result) {
    std::string table = csv_line({"name", "verdict", "note"});
    for (const BenchRow& row : result.rows)
        table += csv_line({row.pair->name, verdict_text(row.verdict), row.verdict.note});
    return table;
}

}  // namespace omnisync::command
