// A benchmark's results as files: CSV, JSON, Markdown.
#pragma once

#include <string>
#include <vector>

#include "bench_summary.h"

namespace omnisync::command {

struct BenchResult {
    const BenchCommand& command;
    std::string method;
    std::vector<BenchRow> rows;
    std::vector<GroupSummary> groups;
    SetDistance frechet;
};

/// A row for each pair, a column for each figure; times of computing are in none of the three.
[[nodiscard]] std::string results_csv(const BenchResult& result);
[[nodiscard]] Json results_json(const BenchResult& result);
/// The paper's tables with this run as their last row, what makes them incomparable, and all groups with intervals.
[[nodiscard]] std::string results_markdown(const BenchResult& result);
/// Seconds and memory of each pair's stages; pairs that were done by an earlier run keep what it took then.
[[nodiscard]] std::string timings_csv(const BenchResult& result);
/// To be filled in by people.
[[nodiscard]] std::string verdicts_csv(const BenchResult& result);

/// "0.4213 [0.3911, 0.4522]", "-".
[[nodiscard]] std::string mean_text(const Mean& mean, int digits);

}  // namespace omnisync::command
