// `batch run --dry-run`: what would be done, and what it would take as far as that can be told.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <numeric>

#include "base/log.h"
#include "base/machine_memory.h"
#include "base/text.h"
#include "batch.h"
#include "batch/job_status.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "report.h"
#include "scratch_folder.h"

namespace omnisync::command {
namespace {

using batch::State;

constexpr std::size_t kEnoughDone = 3;

/// What is known of the jobs of one engine.
struct Known {
    std::vector<std::uint32_t> to_do;
    std::vector<double> seconds;  ///< of each job that was measured or rehearsed
    double bytes = 0;             ///< of outputs, of as many
    std::int64_t peak = 0;        ///< the largest
    std::string basis;            ///< "measured": of jobs that are done; "rehearsed"
    std::vector<std::string> problems;
};

void measure(const batch::DoneRecord& done, Known& known) {
    if (done.seconds <= 0) return;
    known.seconds.push_back(done.seconds);
    known.bytes += static_cast<double>(done.output.bytes);
    known.peak = std::max(known.peak, done.peak_bytes);
}

std::string problem_text(const Batch& batch, const batch::Job& job, const std::string& what) {
    return concat("line ", job.line, ", ", one_line(batch.plan.label(job)), ": ", one_line(what));
}

void rehearse(const Batch& batch, const DubChild& child, const batch::Job& job, Known& known) {
    const ScratchFolder scratch("omnisync-batch");
    const std::string output = (scratch.path() / std::filesystem::path(job.output).filename()).string();
    const std::string out = (scratch.path() / "answer.json").string();
    const batch::ChildEnd end = child.rehearse(job, output, out, (scratch.path() / "log").string());
    if (end.exit_code != 0) {
        known.problems.push_back(problem_text(batch, job, end.reason));
        return;
    }
    std::ifstream file(out);
    const Json answer = Json::parse(file, nullptr, false);
    if (!answer.is_object()) return;
    const auto number = [&](const char* field) {
        return answer.contains(field) && answer[field].is_number() ? answer[field].get<double>() : 0.0;
    };
    known.peak = std::max(known.peak, static_cast<std::int64_t>(number("peak_memory_bytes")));
    if (number("time_estimate_s") <= 0) {
        known.problems.push_back(problem_text(batch, job, "how long it takes cannot be told by a rehearsal"));
        return;
    }
    known.seconds.push_back(number("time_estimate_s"));
    known.bytes += number("bytes_estimate");
}

/// Evenly spread over the file: what lies together is alike.
std::vector<std::uint32_t> chosen(const std::vector<std::uint32_t>& jobs, int sample) {
    const std::size_t count = std::min(jobs.size(), static_cast<std::size_t>(sample));
    std::vector<std::uint32_t> some;
    for (std::size_t i = 0; i < count; ++i) some.push_back(jobs[(2 * i + 1) * jobs.size() / (2 * count)]);
    return some;
}

std::vector<std::string> missing_inputs(const Batch& batch, const std::vector<batch::JobStatus>& all) {
    std::vector<std::string> problems;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const batch::Job& job = batch.plan.jobs[i];
        if (batch::is_final(all[i].state) || !job.depends.empty()) continue;
        for (const std::string& input : {job.video, job.speech})
            if (::access(input.c_str(), R_OK) != 0)
                problems.push_back(problem_text(batch, job, "cannot read '" + input + "'"));
    }
    return problems;
}

double mean(const std::vector<double>& values) {
    return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Jobs of this engine that fit at a time.
std::int64_t hands(const Crew& crew, const Known& known) {
    const auto wanted = static_cast<std::int64_t>(crew.workers) + static_cast<std::int64_t>(crew.gpus.size());
    const auto memory = static_cast<std::int64_t>(memory_for_us().available);
    if (known.peak <= 0 || memory <= 0) return std::max<std::int64_t>(1, wanted);
    return std::clamp<std::int64_t>(memory / known.peak, 1, std::max<std::int64_t>(1, wanted));
}

Json engine_json(const std::string& engine, const Known& known, const Crew& crew) {
    const double each = mean(known.seconds);
    const auto count = static_cast<double>(known.to_do.size());
    const bool told = !known.seconds.empty();
    const auto range = [&](auto pick) {
        return told ? Json(*pick(known.seconds.begin(), known.seconds.end())) : Json();
    };
    const double tried = std::max<double>(1, static_cast<double>(known.seconds.size()));
    return {{"engine", engine},
            {"jobs", known.to_do.size()},
            {"basis", told ? Json(known.basis) : Json(nullptr)},
            {"jobs_behind_it", known.seconds.size()},
            {"seconds_each", told ? Json(each) : Json(nullptr)},
            {"seconds_least", range([](auto a, auto b) { return std::min_element(a, b); })},
            {"seconds_most", range([](auto a, auto b) { return std::max_element(a, b); })},
            {"peak_memory_bytes", known.peak > 0 ? Json(known.peak) : Json(nullptr)},
            {"at_a_time", hands(crew, known)},
            {"time_estimate_s", told ? Json(each * count / static_cast<double>(hands(crew, known))) : Json(nullptr)},
            {"bytes_estimate", told ? Json(static_cast<std::int64_t>(known.bytes / tried * count)) : Json(nullptr)},
            {"problems", known.problems}};
}

void say(const Session& session, const Json& answer) {
    session.say(concat("would do ", answer["to_do"].get<std::size_t>(), " of ", answer["jobs"].get<std::size_t>(),
                       " jobs (", answer["done"].get<std::size_t>(), " done, ", answer["failed"].get<std::size_t>(),
                       " failed)"));
    for (const Json& engine : answer["estimates"]) {
        std::string text =
            concat("  engine ", engine["engine"].get<std::string>(), ": ", engine["jobs"].get<std::size_t>(), " jobs");
        if (engine["seconds_each"].is_null())
            text += ", nothing to go by";
        else
            text += concat(", about ", clock_text(engine["time_estimate_s"].get<double>()), " with ",
                           engine["at_a_time"].get<int>(), " at a time (",
                           decimal(engine["seconds_each"].get<double>(), 1), " s each, ",
                           engine["basis"].get<std::string>(), " on ", engine["jobs_behind_it"].get<std::size_t>(),
                           ": ", decimal(engine["seconds_least"].get<double>(), 1), " to ",
                           decimal(engine["seconds_most"].get<double>(), 1), " s), ",
                           size_text(engine["bytes_estimate"].get<std::uint64_t>()), " of output");
        if (!engine["peak_memory_bytes"].is_null())
            text += concat(", ", size_text(engine["peak_memory_bytes"].get<std::uint64_t>()), " of memory each");
        session.say(text);
    }
    if (!answer["estimates"].empty()) session.say("  These are estimates from a few jobs; others may be longer.");
}

}  // namespace

int batch_estimate(const BatchCommand& command, const Session& session, Batch& batch) {
    const Crew crew = choose_crew(command, session.global());
    const auto all = batch::status_of(batch.plan, batch.state, *batch.keys);
    std::map<std::string, Known> engines;
    std::map<State, std::size_t> counts;
    for (std::uint32_t i = 0; i < all.size(); ++i) {
        ++counts[all[i].state];
        Known& known = engines[batch.keys->engine_of(batch.plan.jobs[i])];
        if (all[i].state == State::done) measure(*all[i].done, known);
        if (!batch::is_final(all[i].state)) known.to_do.push_back(i);
    }
    std::erase_if(engines, [](const auto& entry) { return entry.second.to_do.empty(); });
    const DubChild child(session.global(), {});
    for (auto& [engine, known] : engines) {
        known.basis = "measured";
        if (known.seconds.size() >= kEnoughDone) continue;
        known = {known.to_do, {}, 0, 0, "rehearsed", {}};
        for (const std::uint32_t job : chosen(known.to_do, command.sample)) {
            if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
            rehearse(batch, child, batch.plan.jobs[job], known);
        }
    }
    const std::vector<std::string> missing = missing_inputs(batch, all);
    Json estimates = Json::array();
    double time = 0;
    bool whole = true;
    for (const auto& [engine, known] : engines) {
        estimates.push_back(engine_json(engine, known, crew));
        whole = whole && estimates.back()["time_estimate_s"].is_number();
        if (whole) time += estimates.back()["time_estimate_s"].get<double>();
        for (const std::string& problem : known.problems) log::warn(problem);
    }
    constexpr std::size_t kShown = 20;
    for (std::size_t i = 0; i < std::min(missing.size(), kShown); ++i) log::warn(missing[i]);
    if (missing.size() > kShown) log::warn("and ", missing.size() - kShown, " more inputs that cannot be read");
    const std::size_t ended = counts[State::done] + counts[State::failed] + counts[State::skipped];
    const Json answer{{"dry_run", true},
                      {"jobs", all.size()},
                      {"to_do", all.size() - ended},
                      {"done", counts[State::done]},
                      {"failed", counts[State::failed] + counts[State::skipped]},
                      {"estimates", estimates},
                      {"time_estimate_s", whole && !engines.empty() ? Json(time) : Json(nullptr)},
                      {"unreadable_inputs", missing}};
    if (session.global().json)
        session.result(dump(answer));
    else
        say(session, answer);
    return 0;
}

}  // namespace omnisync::command
