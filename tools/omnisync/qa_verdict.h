// Whether a result is as --qa demands.
#pragma once

#include <string>
#include <vector>

#include "evaluation.h"
#include "qa.h"

namespace omnisync::command {

struct JudgedDemand {
    Demand demand;
    std::optional<double> value;
    bool passed = false;
};

struct QaVerdict {
    std::vector<JudgedDemand> demands;
    [[nodiscard]] bool passed() const;
};

/// A figure that could not be measured fails a demand, unless that is one of the usual.
[[nodiscard]] QaVerdict judge(const std::vector<Demand>& demands, const Evaluation& evaluation);
/// {"passed", "demands": [{"figure", "relation", "limit", "value", "passed"}]}
[[nodiscard]] Json to_json(const QaVerdict& verdict);
/// "sharpness is 0.52, not >=0.7": one for each demand that failed.
[[nodiscard]] std::vector<std::string> failures(const QaVerdict& verdict);

/// Warns of each failure; the exit code.
[[nodiscard]] int report_verdict(const QaVerdict& verdict);

}  // namespace omnisync::command
