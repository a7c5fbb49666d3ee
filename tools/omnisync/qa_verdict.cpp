#include "qa_verdict.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {

bool QaVerdict::passed() const {
    return std::all_of(demands.begin(), demands.end(), [](const JudgedDemand& one) { return one.passed; });
}

QaVerdict judge(const std::vector<Demand>& demands, const Evaluation& evaluation) {
    QaVerdict verdict;
    for (const Demand& demand : demands) {
        const Figure* const figure = evaluation.find(demand.figure);
        JudgedDemand judged{demand, figure != nullptr ? figure->value : std::nullopt, demand.usual};
        if (judged.value) judged.passed = demand.least ? *judged.value >= demand.limit : *judged.value <= demand.limit;
        verdict.demands.push_back(judged);
    }
    return verdict;
}

Json to_json(const QaVerdict& verdict) {
    Json demands = Json::array();
    for (const JudgedDemand& one : verdict.demands)
        demands.push_back({{"figure", one.demand.figure},
                           {"relation", one.demand.least ? ">=" : "<="},
                           {"limit", one.demand.limit},
                           {"value", one.value ? Json(*one.value) : Json(nullptr)},
                           {"passed", one.passed}});
    return {{"passed", verdict.passed()}, {"demands", std::move(demands)}};
}

std::vector<std::string> failures(const QaVerdict& verdict) {
    std::vector<std::string> sentences;
    for (const JudgedDemand& one : verdict.demands)
        if (!one.passed)
            sentences.push_back(concat(one.demand.figure,
                                       one.value ? " is " + figure_text(*one.value) : " could not be measured",
                                       ", --qa demands ", to_text(one.demand)));
    return sentences;
}

int report_verdict(const QaVerdict& verdict) {
    for (const std::string& sentence : failures(verdict)) log::warn(sentence);
    return verdict.passed() ? 0 : kBelowDemands;
}

}  // namespace omnisync::command
