#include "batch/retry_policy.h"

#include <signal.h>
#include <string.h>

#include <algorithm>
#include <cmath>

#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

using Kind = Ending::Kind;
constexpr int kSignalBase = 128;

/// Attempts of `kind` that count; one without an ending counts as lost.
int count_of(Kind kind, const std::vector<TryRecord>& before, const std::string& key) {
    int count = 0;
    for (auto it = before.rbegin(); it != before.rend(); ++it) {
        if (it->ending && it->ending->kind == Kind::reset) break;
        if (it->key == key && (it->ending ? it->ending->kind : Kind::lost) == kind) ++count;
    }
    return count;
}

Kind kind_of(const ChildEnd& end, bool stopped) {
    if (stopped) return Kind::stopped;
    if (end.signal == SIGKILL) return Kind::killed;
    if (end.signal == SIGTERM || end.signal == SIGINT || end.signal == SIGHUP) return Kind::temporary;
    if (end.signal != 0) return Kind::crashed;
    switch (static_cast<ExitCode>(end.exit_code)) {
        case ExitCode::internal:
            return Kind::crashed;
        case ExitCode::io:
        case ExitCode::interrupted:
            return Kind::temporary;
        default:
            break;
    }
    if (end.exit_code == kSignalBase + SIGKILL) return Kind::killed;
    return end.exit_code > kSignalBase ? Kind::crashed : Kind::refused;
}

std::string reason_of(const ChildEnd& end, Kind kind) {
    if (kind == Kind::stopped) return "stopped with its runner";
    if (!end.reason.empty()) return end.reason;
    constexpr int kBelowDemands = 76;
    if (end.exit_code == kBelowDemands) return "its figures are below what 'qa' demands; it is not published";
    if (end.signal == SIGKILL) return "killed (SIGKILL): as a rule the memory was short";
    if (end.signal != 0) return concat("ended by signal ", end.signal, " (", ::strsignal(end.signal), ")");
    return concat("exit code ", end.exit_code);
}

}  // namespace

double backoff_s(int earlier, const RetryPolicy& policy) {
    return std::min(policy.backoff_s * std::pow(2.0, earlier), RetryPolicy::kLongestWait);
}

int times_lost(const std::vector<TryRecord>& before, const std::string& key) {
    return count_of(Kind::lost, before, key);
}

Ending judge(const ChildEnd& end, bool stopped, const std::vector<TryRecord>& before, const std::string& key,
             const RetryPolicy& policy, double now_s) {
    Ending ending;
    ending.kind = kind_of(end, stopped);
    ending.exit_code = end.signal != 0 ? kSignalBase + end.signal : end.exit_code;
    ending.reason = reason_of(end, ending.kind);
    ending.hint = end.hint;
    ending.at_s = now_s;
    ending.not_before_s = now_s;
    if (ending.kind == Kind::stopped) return ending;
    const int retries = ending.kind == Kind::refused   ? 0
                        : ending.kind == Kind::crashed ? std::min(policy.retries, RetryPolicy::kCrashes)
                                                       : policy.retries;
    const int earlier = count_of(ending.kind, before, key);
    ending.final = earlier >= retries;
    if (!ending.final) ending.not_before_s += backoff_s(earlier, policy);
    return ending;
}

}  // namespace omnisync::batch
