// `batch status` and `batch retry`: how the jobs stand, and failed ones once more.
#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "base/text.h"
#include "batch.h"
#include "batch/job_status.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "report.h"

namespace omnisync::command {
namespace {

using batch::JobStatus;
using batch::State;

constexpr std::array kStates{State::done,    State::running,  State::retrying, State::lost,   State::waiting,
                             State::blocked, State::outdated, State::failed,   State::skipped};

std::map<State, std::size_t> counts_of(const std::vector<JobStatus>& all) {
    std::map<State, std::size_t> counts;
    for (const JobStatus& status : all) ++counts[status.state];
    return counts;
}

std::string summary(const std::vector<JobStatus>& all) {
    const auto counts = counts_of(all);
    std::string text = concat(all.size(), all.size() == 1 ? " job: " : " jobs: ");
    bool first = true;
    for (const State state : kStates) {
        const auto found = counts.find(state);
        if (found == counts.end()) continue;
        text += concat(first ? "" : ", ", found->second, " ", name(state));
        first = false;
    }
    return text;
}

std::string words_about(const JobStatus& status, double now) {
    const std::string attempts = status.attempts > 1 ? concat(", attempt ", status.attempts) : "";
    if (status.state == State::running && status.last)
        return concat("for ", clock_text(now - status.last->started_s), " on ", one_line(status.last->owner.host),
                      " (process ", status.last->owner.pid, ")", attempts);
    if (status.state == State::lost && status.last)
        return concat("its process on ", one_line(status.last->owner.host), " is gone; the next run takes it over");
    if (status.last && status.last->ending && (status.state == State::failed || status.state == State::retrying))
        return concat("exit code ", status.last->ending->exit_code, attempts, ": ",
                      one_line(status.last->ending->reason));
    if (status.state == State::outdated) return "inputs, options or weights have changed, or its output is gone";
    return {};
}

Json job_json(const Batch& batch, const batch::Job& job, const JobStatus& status) {
    Json json{{"line", job.line},
              {"name", job.name.empty() ? Json(nullptr) : Json(job.name)},
              {"output", job.output},
              {"state", name(status.state)},
              {"attempts", status.attempts}};
    if (status.state == State::running && status.last) {
        json["host"] = status.last->owner.host;
        json["pid"] = status.last->owner.pid;
        json["started_s"] = status.last->started_s;
    }
    if (status.state == State::done && status.done) {
        json["seconds"] = status.done->seconds;
        json["peak_memory_bytes"] = status.done->peak_bytes;
        json["finished_s"] = status.done->finished_s;
        json["bytes"] = status.done->output.bytes;
        json["sha256"] = status.done->output.sha256;
    }
    if (status.last && status.last->ending && (status.state == State::failed || status.state == State::retrying)) {
        json["exit"] = status.last->ending->exit_code;
        json["kind"] = batch::name(status.last->ending->kind);
        json["reason"] = status.last->ending->reason;
        json["hint"] = status.last->ending->hint;
        const std::string log = batch.state.log_path(job.id, status.attempts);
        std::error_code error;
        json["log"] = std::filesystem::exists(log, error) ? Json(log) : Json(nullptr);
    }
    return json;
}

Json status_json(const Batch& batch, const std::vector<JobStatus>& all) {
    Json counts = Json::object();
    const auto counted = counts_of(all);
    for (const State state : kStates) {
        const auto found = counted.find(state);
        counts[std::string(name(state))] = found == counted.end() ? 0 : found->second;
    }
    Json jobs = Json::array();
    for (std::size_t i = 0; i < all.size(); ++i) jobs.push_back(job_json(batch, batch.plan.jobs[i], all[i]));
    return {{"jobs_file", batch.plan.file}, {"state", batch.state.path()}, {"counts", counts}, {"jobs", jobs}};
}

/// A line for each job of which there is something to say.
std::string table(const Batch& batch, const std::vector<JobStatus>& all) {
    constexpr std::size_t kMost = 200;
    const double now = batch::unix_time_s();
    std::string text = summary(all);
    std::size_t shown = 0;
    for (const State state :
         {State::running, State::lost, State::retrying, State::failed, State::skipped, State::outdated})
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (all[i].state != state || ++shown > kMost) continue;
            const batch::Job& job = batch.plan.jobs[i];
            const std::string words = words_about(all[i], now);
            text += concat("\n  ", name(state), std::string(10 - name(state).size(), ' '), "line ", job.line, "  ",
                           one_line(batch.plan.label(job)), words.empty() ? "" : "  ", words);
        }
    if (shown > kMost) text += concat("\n  and ", shown - kMost, " more; --json has all");
    return text;
}

/// Pauses, and false when told to stop meanwhile.
bool pause(double seconds) {
    constexpr std::chrono::milliseconds kStep{50};
    for (const double end = now_s() + seconds; now_s() < end;) {
        if (stop_requested()) return false;
        std::this_thread::sleep_for(kStep);
    }
    return !stop_requested();
}

bool is_named(const BatchCommand& command, const Batch& batch, const batch::Job& job) {
    const std::string label = batch.plan.label(job);
    return std::any_of(command.names.begin(), command.names.end(), [&](const std::string& name) {
        return name == job.name || name == label || name == job.output;
    });
}

/// False: somebody was faster, or works at it.
bool reset(const Batch& batch, const batch::Job& job, const JobStatus& status) {
    if (status.state == State::done) {
        batch::DoneRecord record = *status.done;
        record.key = "to be done again";
        record.settings = record.key;  // the output stays known as our own
        batch.state.write_done(job.id, record);
        return true;
    }
    batch::TryRecord record;
    record.attempt = batch::random_word();
    record.owner = batch::this_process();
    record.started_s = batch::unix_time_s();
    record.ending.emplace();
    record.ending->kind = batch::Ending::Kind::reset;
    record.ending->reason = "to be tried again";
    record.ending->at_s = record.started_s;
    return batch.state.create_try(job.id, status.attempts + 1, record);
}

}  // namespace

int batch_status(const BatchCommand& command, const Session& session, Batch& batch) {
    const bool redraw = command.watch && !session.global().json && is_capable_terminal(1);
    for (;;) {
        const std::vector<JobStatus> all = batch::status_of(batch.plan, batch.state, *batch.keys);
        if (session.global().json)
            session.result(command.watch ? status_json(batch, all).dump(-1, ' ', false, Json::error_handler_t::replace)
                                         : dump(status_json(batch, all)));
        else
            session.say(redraw ? "\x1b[H\x1b[J" + table(batch, all) : table(batch, all));
        const bool over =
            std::all_of(all.begin(), all.end(), [](const JobStatus& status) { return batch::is_final(status.state); });
        if (!command.watch || over || !pause(command.every_s)) return 0;
    }
}

int batch_retry(const BatchCommand& command, const Session& session, Batch& batch) {
    const std::vector<JobStatus> all = batch::status_of(batch.plan, batch.state, *batch.keys);
    std::size_t found = 0;
    std::size_t count = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const batch::Job& job = batch.plan.jobs[i];
        if (!command.names.empty() && !is_named(command, batch, job)) continue;
        ++found;
        const State state = all[i].state;
        if (state == State::failed || state == State::retrying || (state == State::done && command.all))
            count += reset(batch, job, all[i]) ? 1 : 0;
    }
    if (found == 0)
        throw Error(ExitCode::usage, "no job has that name or output", "omnisync batch status --json tells them");
    if (session.global().json)
        session.result(dump(Json{{"to_be_tried_again", count}}));
    else
        session.say(
            concat(count, count == 1 ? " job" : " jobs", " to be tried again by the next 'omnisync batch run'"));
    return 0;
}

}  // namespace omnisync::command
