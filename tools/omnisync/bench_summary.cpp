#include "bench_summary.h"

#include <algorithm>
#include <random>
#include <set>

#include "base/text.h"
#include "metrics/feature_file.h"
#include "metrics/gaussian.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

/// One of `count`, evenly enough: the generator's range is far larger. std's distributions differ among libraries.
std::size_t draw(std::mt19937_64& random, std::size_t count) {
    return static_cast<std::size_t>(random() % count);
}

/// A number for a text, the same everywhere (FNV-1a).
std::uint64_t number_of(const std::string& text) {
    std::uint64_t number = 14695981039346656037ULL;
    for (const char letter : text) number = (number ^ static_cast<unsigned char>(letter)) * 1099511628211ULL;
    return number;
}

std::string demand_text(const Json& demand) {
    const Json& value = demand.value("value", Json(nullptr));
    return concat(demand.value("figure", "?"), " is ", value.is_number() ? decimal(value, 4) : "not known", ", not ",
                  demand.value("relation", "?"), ' ', decimal(demand.value("limit", 0.0), 4));
}

std::vector<std::string> group_names(const std::vector<BenchRow>& rows) {
    std::vector<std::string> names{"all"};
    bool others = false;
    for (const BenchRow& row : rows) {
        const std::string& group = row.pair->group;
        others = others || group.empty();
        if (!group.empty() && std::find(names.begin(), names.end(), group) == names.end()) names.push_back(group);
    }
    const bool has_groups = names.size() > 1;
    if (others && has_groups && std::find(names.begin(), names.end(), "others") == names.end())
        names.emplace_back("others");
    return names;
}

bool belongs(const BenchRow& row, const std::string& group) {
    const std::string& own = row.pair->group;
    return group == "all" || own == group || (own.empty() && group == "others");
}

}  // namespace

std::optional<double> BenchRow::figure(const std::string& name) const {
    const auto found = record.figures.find(name);
    if (found == record.figures.end()) return std::nullopt;
    const Json value = found->value("value", Json(nullptr));
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
}

std::vector<std::string> failed_checks(const BenchRecord& record, const BenchCommand& command) {
    std::vector<std::string> failed;
    if (!record.done()) return failed;
    if (record.redrawn == 0 && command.settings.engine != "none") failed.emplace_back("no mouth was redrawn");
    for (const Json& demand : record.demands)
        if (!demand.value("passed", false)) failed.push_back(demand_text(demand));
    return failed;
}

Mean mean_of(const std::vector<double>& values, int resamples, std::uint64_t seed) {
    Mean mean{values.size(), 0, {}, {}};
    if (values.empty()) return mean;
    double sum = 0;
    for (const double value : values) sum += value;
    mean.value = sum / static_cast<double>(values.size());
    if (resamples < 1 || values.size() < 2) return mean;
    std::mt19937_64 random(seed);
    std::vector<double> means;
    for (int i = 0; i < resamples; ++i) {
        double drawn = 0;
        for (std::size_t k = 0; k < values.size(); ++k) drawn += values[draw(random, values.size())];
        means.push_back(drawn / static_cast<double>(values.size()));
    }
    std::sort(means.begin(), means.end());
    const auto at = [&](double share) {
        return means[static_cast<std::size_t>(share * static_cast<double>(means.size() - 1) + 0.5)];
    };
    mean.low = at(0.025);
    mean.high = at(0.975);
    return mean;
}

SetDistance set_distance(const std::vector<BenchRow>& rows, const BenchFolders& folders) {
    metrics::GaussianSum results;
    metrics::GaussianSum truths;
    SetDistance distance;
    std::set<std::string> seen;  // a reference that several pairs share counts once
    const auto add = [&](metrics::GaussianSum& sum, const std::string& file) {
        if (file.empty() || !seen.insert(file).second) return;
        const metrics::FeatureFile one = metrics::load_features((folders.root / file).string());
        distance.features = one.features;
        sum.add(one.fitted);
    };
    for (const BenchRow& row : rows) {
        // A pair counts on both sides or on none.
        if (row.record.features.empty() || row.record.reference_features.empty()) continue;
        add(results, row.record.features);
        add(truths, row.record.reference_features);
    }
    if (seen.empty()) return distance;
    distance.value = metrics::frechet_distance(results.fit(), truths.fit());
    return distance;
}

std::vector<std::string> figure_names(const std::vector<BenchRow>& rows) {
    std::vector<std::string> names;
    for (const BenchRow& row : rows)
        for (const auto& [name, figure] : row.record.figures.items())
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
}

std::vector<GroupSummary> summarise(const std::vector<BenchRow>& rows, const BenchCommand& command) {
    std::vector<GroupSummary> groups;
    const auto names = figure_names(rows);
    for (const std::string& name : group_names(rows)) {
        GroupSummary group;
        group.name = name;
        std::vector<double> success;
        std::vector<double> passed;
        std::map<std::string, std::vector<double>> figures;
        for (const BenchRow& row : rows) {
            if (!belongs(row, name)) continue;
            ++group.pairs;
            group.done += row.record.done() ? 1 : 0;
            success.push_back(row.success() ? 1 : 0);
            if (row.verdict.passed) passed.push_back(*row.verdict.passed ? 1 : 0);
            for (const std::string& figure : names)
                if (const auto value = row.figure(figure)) figures[figure].push_back(*value);
        }
        const auto mean = [&](const std::vector<double>& values, const std::string& what) {
            const auto seed = static_cast<std::uint64_t>(command.seed) ^ number_of(concat(name, '\n', what));
            return mean_of(values, command.resamples, seed);
        };
        group.success = mean(success, "success");
        group.passed = mean(passed, "passed");
        for (const std::string& figure : names) group.figures[figure] = mean(figures[figure], figure);
        groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace omnisync::command
