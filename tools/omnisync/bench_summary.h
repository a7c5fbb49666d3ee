// What a benchmark's records amount to: success, means over groups, how sure they are.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "bench_set.h"
#include "bench_task.h"

namespace omnisync::command {

/// One row of the results.
struct BenchRow {
    const BenchPair* pair = nullptr;
    BenchRecord record;
    std::vector<std::string> failed_checks;  ///< in words; empty: it passed all
    Verdict verdict;
    /// Done, and no check failed.
    [[nodiscard]] bool success() const { return record.done() && failed_checks.empty(); }
    /// A figure of eval; nothing where it could not be measured.
    [[nodiscard]] std::optional<double> figure(const std::string& name) const;
};

/// The automatic checks of a record: eval's demands, and with an engine that a mouth was redrawn at all.
[[nodiscard]] std::vector<std::string> failed_checks(const BenchRecord& record, const BenchCommand& command);

/// A mean and the middle 95 % of the means of resamples (percentile bootstrap over pairs).
struct Mean {
    std::size_t count = 0;
    double value = 0;
    std::optional<double> low, high;  ///< nothing with fewer than two values or without resamples
};
/// The same numbers in the same order give the same interval, on every machine.
[[nodiscard]] Mean mean_of(const std::vector<double>& values, int resamples, std::uint64_t seed);

struct GroupSummary {
    std::string name;  ///< "all", the set's own in order of appearance, "others" for pairs without one
    std::size_t pairs = 0;
    std::size_t done = 0;
    Mean success;                         ///< share of all pairs
    Mean passed;                          ///< share that people passed, of the pairs that they judged
    std::map<std::string, Mean> figures;  ///< over the pairs that have one
};
[[nodiscard]] std::vector<GroupSummary> summarise(const std::vector<BenchRow>& rows, const BenchCommand& command);

/// Of all results together against all references or sources, on the features that `eval --features` writes.
struct SetDistance {
    std::optional<double> value;
    std::string features;  ///< which
};
[[nodiscard]] SetDistance set_distance(const std::vector<BenchRow>& rows, const BenchFolders& folders);

/// The names of all figures, in the order in which eval gives them.
[[nodiscard]] std::vector<std::string> figure_names(const std::vector<BenchRow>& rows);

}  // namespace omnisync::command
