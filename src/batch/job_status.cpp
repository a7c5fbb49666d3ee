#include "batch/job_status.h"

#include <algorithm>

namespace omnisync::batch {
namespace {

State state_of_tries(const Job& job, const std::vector<TryRecord>& tries, const StateFolder& folder, KeyMaker& keys) {
    if (tries.empty()) return State::waiting;
    const TryRecord& last = tries.back();
    if (!last.ending)
        return folder.is_worked_at(job.id, static_cast<int>(tries.size()), last) ? State::running : State::lost;
    if (last.ending->kind == Ending::Kind::reset || last.ending->kind == Ending::Kind::stopped) return State::waiting;
    if (!last.ending->final) return State::retrying;
    return attempt_key(job, keys.any_key(job, last.inputs)) == last.key ? State::failed : State::waiting;
}

void heed_dependencies(const Job& job, const std::vector<JobStatus>& all, JobStatus& status) {
    if (status.state == State::done || status.state == State::running || status.state == State::failed) return;
    bool open = false;
    for (const std::uint32_t other : job.depends) {
        const State state = all[other].state;
        if (state == State::failed || state == State::skipped) {
            status.state = State::skipped;
            return;
        }
        open = open || state != State::done;
    }
    if (open) status.state = State::blocked;
}

}  // namespace

std::string_view name(State state) {
    switch (state) {
        case State::waiting:
            return "waiting";
        case State::blocked:
            return "blocked";
        case State::running:
            return "running";
        case State::lost:
            return "lost";
        case State::retrying:
            return "retrying";
        case State::done:
            return "done";
        case State::outdated:
            return "outdated";
        case State::failed:
            return "failed";
        case State::skipped:
            return "skipped";
    }
    return "?";
}

bool is_final(State state) {
    return state == State::done || state == State::failed || state == State::skipped;
}

JobStatus status_of(const Job& job, const StateFolder& state, KeyMaker& keys) {
    JobStatus status;
    status.done = state.read_done(job.id);
    if (status.done && keys.is_current(job, *status.done)) {
        status.state = State::done;
        status.attempts = status.done->attempts;
        return status;
    }
    const std::vector<TryRecord> tries = state.read_tries(job.id);
    status.attempts = static_cast<int>(tries.size());
    if (!tries.empty()) status.last = tries.back();
    status.state = state_of_tries(job, tries, state, keys);
    // Whoever finishes writes the record first and puts the attempts away then.
    auto now = state.read_done(job.id);
    const bool fresh = now && (!status.done || status.done->attempt != now->attempt);
    status.done = std::move(now);
    if (fresh && keys.is_current(job, *status.done)) {
        status.state = State::done;
        status.attempts = status.done->attempts;
        status.last.reset();
    } else if (status.done && status.state == State::waiting && tries.empty()) {
        status.state = State::outdated;
    }
    return status;
}

std::vector<JobStatus> status_of(const Plan& plan, const StateFolder& state, KeyMaker& keys) {
    std::vector<JobStatus> all;
    all.reserve(plan.jobs.size());
    for (const Job& job : plan.jobs) {
        all.push_back(status_of(job, state, keys));
        heed_dependencies(job, all, all.back());
    }
    return all;
}

}  // namespace omnisync::batch
