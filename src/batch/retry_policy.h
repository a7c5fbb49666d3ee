// Which failures may pass, and when to try again.
#pragma once

#include <string>
#include <vector>

#include "batch/records.h"

namespace omnisync::batch {

struct RetryPolicy {
    int retries = 3;       ///< of what may pass: temporary failures and kills, each by itself
    double backoff_s = 2;  ///< before the first; doubled each time, at most kLongestWait
    static constexpr double kLongestWait = 60;
    static constexpr int kCrashes = 1;  ///< retries after a fault of our own
    static constexpr int kLost = 10;    ///< attempts whose process vanished with its runner
};

/// How a child process ended, in numbers and in its own last words.
struct ChildEnd {
    int exit_code = -1;  ///< -1: a signal ended it
    int signal = 0;
    double seconds = 0;
    std::int64_t peak_bytes = 0;
    std::string reason;
    std::string hint;
};

/// `before`: all attempts up to now but this one; those of another key, and those before a reset, do not count.
/// `stopped`: the runner had told the child to end.
[[nodiscard]] Ending judge(const ChildEnd& end, bool stopped, const std::vector<TryRecord>& before,
                           const std::string& key, const RetryPolicy& policy, double now_s);

/// Seconds to wait before what failed `earlier` times before this time is tried again.
[[nodiscard]] double backoff_s(int earlier, const RetryPolicy& policy);

/// How often its process was lost since anything counts.
[[nodiscard]] int times_lost(const std::vector<TryRecord>& before, const std::string& key);

}  // namespace omnisync::batch
