// `batch run` and `batch task`: the jobs themselves.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <sstream>
#include <utility>

#include "base/log.h"
#include "base/machine_memory.h"
#include "base/text.h"
#include "batch.h"
#include "child_process.h"
#include "machine.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "report.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using batch::Outcome;

std::vector<std::string> visible_gpus() {
    std::vector<std::string> names;
    if (const char* const given = std::getenv("CUDA_VISIBLE_DEVICES")) {
        std::istringstream list(given);
        for (std::string name; std::getline(list, name, ',');)
            if (!name.empty() && name != "-1") names.push_back(name);
        return names;
    }
    std::error_code error;
    for (int i = 0; fs::exists(concat("/dev/nvidia", i), error); ++i) names.push_back(std::to_string(i));
    return names;
}

void tell(const Batch& batch, const batch::Job& job, const Outcome& outcome) {
    const std::string label = one_line(batch.plan.label(job));
    if (outcome.kind == Outcome::Kind::done) {
        log::info("done: ", label, " (", decimal(outcome.seconds, 1), " s)");
    } else if (outcome.kind == Outcome::Kind::failed) {
        log::warn("failed: ", label, " (line ", job.line, "): ", one_line(outcome.ending.reason));
    } else if (outcome.kind == Outcome::Kind::later) {
        log::warn("to be tried again: ", label, " (line ", job.line, "): ", one_line(outcome.ending.reason));
    }
}

batch::RunnerResult run_some(const BatchCommand& command, const Session& session, Batch& batch, const Crew& crew,
                             const std::vector<std::uint32_t>& wanted) {
    const DubChild child(session.global(), crew.gpus);
    batch::Heartbeats heartbeats(batch.state);
    const batch::Workshop shop{batch.plan,
                               batch.table,
                               batch.state,
                               *batch.keys,
                               heartbeats,
                               [&child](const batch::ChildJob& job) { return child.run(job); },
                               {command.retries, command.backoff_s},
                               [] { return stop_requested(); }};
    batch::RunnerOptions options;
    options.workers = crew.workers;
    options.threads = crew.threads;
    options.gpus.resize(crew.gpus.size());
    std::iota(options.gpus.begin(), options.gpus.end(), 0);
    options.available_memory = [] { return memory_for_us().available; };
    options.wants_gpu = [&batch](const batch::Job& job) { return batch.keys->engine_of(job) != "none"; };
    options.sweep = command.action == "run";
    options.on_outcome = [&batch](const batch::Job& job, const Outcome& outcome) { tell(batch, job, outcome); };
    return batch::run_jobs(shop, wanted, options);
}

Json result_json(const Batch& batch, const batch::RunnerResult& result) {
    Json failures = Json::array();
    for (const auto& failure : result.failures) {
        const batch::Job& job = batch.plan.jobs[failure.job];
        failures.push_back({{"line", job.line},
                            {"name", job.name},
                            {"output", job.output},
                            {"exit", failure.ending.exit_code},
                            {"reason", failure.ending.reason},
                            {"hint", failure.ending.hint}});
    }
    return {{"done", result.done},       {"already_done", result.already_done}, {"failed", result.failed},
            {"skipped", result.skipped}, {"stopped", result.stopped},           {"failures", failures}};
}

void say_result(const Session& session, const Batch& batch, const batch::RunnerResult& result) {
    if (session.global().json) {
        session.result(dump(result_json(batch, result)));
        return;
    }
    std::string text = concat(result.done + result.already_done, " done");
    if (result.already_done > 0) text += concat(" (", result.already_done, " of them before, or by others)");
    text += concat(", ", result.failed, " failed");
    if (result.skipped > 0) text += concat(", ", result.skipped, " skipped, as they depend on these");
    session.say(text);
    for (const auto& failure : result.failures) {
        const batch::Job& job = batch.plan.jobs[failure.job];
        session.say(concat("  line ", job.line, ", ", one_line(batch.plan.label(job)), ": exit code ",
                           failure.ending.exit_code, ": ", one_line(failure.ending.reason)));
    }
}

int end_of(const batch::RunnerResult& result) {
    if (result.stopped)
        throw Error(ExitCode::interrupted, "interrupted: the jobs at hand were given up, all others are as they were",
                    "run the same command again");
    return static_cast<int>(result.failed + result.skipped > 0 ? ExitCode::bad_data : ExitCode::done);
}

int task_index(const BatchCommand& command) {
    if (command.index >= 0) return command.index;
    for (const char* const name :
         {"OMNISYNC_TASK_INDEX", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "AWS_BATCH_JOB_ARRAY_INDEX"}) {
        const char* const text = std::getenv(name);
        if (!text || !*text) continue;
        const auto value = parse_integer(text);
        constexpr std::int64_t kMost = 1'000'000'000;
        require(value && *value >= 0 && *value <= kMost, ExitCode::usage, name, " is '", text, "', which is no index");
        return static_cast<int>(*value);
    }
    throw Error(ExitCode::usage, "which task? --index is missing, and no cluster's variable is set",
                "see 'omnisync batch --help'");
}

/// A cluster's warning that the time is nearly over (--signal=B:USR1@60): end in good order, and ask to be run again.
std::atomic<bool> time_is_over{false};
extern "C" void omnisync_handle_time(int) {
    time_is_over = true;
    request_stop();
}

/// Slurm runs a task again by itself after a preemption or a node's end, not when the task's own time is over.
void requeue_in_slurm() {
    const char* const array = std::getenv("SLURM_ARRAY_JOB_ID");
    const char* const task = std::getenv("SLURM_ARRAY_TASK_ID");
    if (!array || !task) return;
    log::info("the time is nearly over: asking to be run again");
    try {
        ChildProcess child({"/usr/bin/env", "scontrol", "requeue", concat(array, "_", task)}, "/dev/null", "/dev/null");
        while (!child.poll()) ::usleep(10000);
    } catch (const Error& error) {
        log::warn(error.what());
    }
}

}  // namespace

Crew choose_crew(const BatchCommand& command, const Global& global) {
    Crew crew;
    const int cores = std::max(1, describe_machine().cores);
    crew.gpus = global.device == "cpu" ? std::vector<std::string>{} : visible_gpus();
    if (command.gpus != "auto") {
        const auto count = static_cast<std::size_t>(parse_integer(command.gpus).value_or(0));
        for (std::size_t i = crew.gpus.size(); i < count; ++i) crew.gpus.push_back(std::to_string(i));
        crew.gpus.resize(count);
    }
    crew.workers = command.workers >= 0 ? command.workers : std::max(1, cores / 2);
    if (crew.workers == 0 && crew.gpus.empty())
        throw Error(ExitCode::usage, "--workers 0, and no GPU: nobody would do anything");
    const int hands = crew.workers + static_cast<int>(crew.gpus.size());
    crew.threads = global.threads > 0 ? global.threads : std::max(1, cores / hands);
    return crew;
}

int batch_run(const BatchCommand& command, const Session& session, Batch& batch) {
    const Crew crew = choose_crew(command, session.global());
    std::vector<std::uint32_t> wanted(batch.plan.jobs.size());
    std::iota(wanted.begin(), wanted.end(), 0U);
    log::info(wanted.size(), " jobs, ", crew.workers, " at a time with ", crew.threads, " threads each",
              crew.gpus.empty() ? "" : concat(", and one on each of ", crew.gpus.size(), " GPUs"));
    const batch::RunnerResult result = run_some(command, session, batch, crew, wanted);
    say_result(session, batch, result);
    return end_of(result);
}

int batch_task(const BatchCommand& command, const Session& session, Batch& batch) {
    if (!command.expect.empty() && command.expect != batch.plan.digest)
        throw Error(ExitCode::bad_data, concat("the jobs in '", command.jobs, "' are not those that were submitted"),
                    "submit them again");
    const auto first =
        (std::size_t{0} + static_cast<std::size_t>(command.first) + static_cast<std::size_t>(task_index(command))) *
        static_cast<std::size_t>(command.items_per_task);
    const std::size_t count = batch.plan.jobs.size();
    require(first < count, ExitCode::usage, "there is no such task: ", count, " jobs, and this one begins with number ",
            first, " (from 0)");
    std::vector<std::uint32_t> wanted(std::min(static_cast<std::size_t>(command.items_per_task), count - first));
    std::iota(wanted.begin(), wanted.end(), static_cast<std::uint32_t>(first));

    struct sigaction action {};
    action.sa_handler = omnisync_handle_time;
    ::sigaction(SIGUSR1, &action, nullptr);
    Crew crew;
    crew.workers = std::max(1, command.workers);
    crew.threads = session.global().threads;
    const batch::RunnerResult result = run_some(command, session, batch, crew, wanted);
    say_result(session, batch, result);
    if (result.stopped && time_is_over) requeue_in_slurm();
    if (!result.stopped && wanted.size() == 1 && result.failures.size() == 1)
        return std::clamp(result.failures.front().ending.exit_code, 1, 255);
    return end_of(result);
}

}  // namespace omnisync::command
