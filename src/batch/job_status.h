// How each job of a plan stands, read from the shared folder: true at the moment of reading.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "batch/job_key.h"
#include "batch/plan.h"
#include "batch/state_folder.h"

namespace omnisync::batch {

enum class State {
    waiting,   ///< can be started
    blocked,   ///< waits for jobs that it depends on
    running,   ///< a process works at it
    lost,      ///< the process that worked at it is gone; the next run takes it over
    retrying,  ///< failed with what may pass; tried again after a while
    done,
    outdated,  ///< done, but inputs, options or weights have changed since, or the output is gone: to be done again
    failed,    ///< for good
    skipped    ///< depends on one that failed
};

[[nodiscard]] std::string_view name(State state);

struct JobStatus {
    State state = State::waiting;
    int attempts = 0;
    std::optional<TryRecord> last;   ///< the latest attempt, where there is one
    std::optional<DoneRecord> done;  ///< of done and outdated
};

/// Of the job itself, whatever it depends on.
[[nodiscard]] JobStatus status_of(const Job& job, const StateFolder& state, KeyMaker& keys);

/// Of all jobs, in the plan's order.
[[nodiscard]] std::vector<JobStatus> status_of(const Plan& plan, const StateFolder& state, KeyMaker& keys);

/// Whether nothing will happen to it any more without a person.
[[nodiscard]] bool is_final(State state);

}  // namespace omnisync::batch
