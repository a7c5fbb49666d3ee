// Demands on the figures of a result (--qa).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace omnisync::command {

/// The exit code of a job that is done, with its output in place, and whose result is below what --qa demands.
inline constexpr int kBelowDemands = 76;

/// "sharpness>=0.7"
struct Demand {
    std::string figure;  ///< a name of docs/metrics.md
    bool least = true;   ///< false: "<=", the value is a most
    double limit = 0;
    bool usual = false;  ///< of the word "default": passes where the figure cannot be measured
    friend bool operator==(const Demand&, const Demand&) = default;
};

/// From "NAME>=NUMBER" and "NAME<=NUMBER" with commas between; the word "default" stands for the usual ones
/// (docs/metrics.md). A later demand replaces an earlier one of the same figure and direction. Throws Error(usage) that
/// says what is wrong.
[[nodiscard]] std::vector<Demand> parse_demands(const std::string& text);
[[nodiscard]] std::string to_text(const Demand& demand);

/// The names of all figures, in the order of docs/metrics.md.
[[nodiscard]] const std::vector<std::string>& figure_names();

}  // namespace omnisync::command
