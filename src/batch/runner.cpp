#include "batch/runner.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>

namespace omnisync::batch {
namespace {

constexpr double kRecheckOthers = 0.5;  // seconds between looks at what others do
constexpr std::chrono::milliseconds kIdle{50};

/// What is to be done next, by whom. One lock over everything: what takes time happens outside of it.
class Schedule {
public:
    Schedule(const Workshop& shop, const std::vector<std::uint32_t>& wanted, const RunnerOptions& options)
        : shop_(shop),
          options_(options),
          admission_(std::max(1, options.workers) + static_cast<int>(options.gpus.size())) {
        const std::size_t count = shop.plan.jobs.size();
        wanted_.resize(count);
        fate_.resize(count, Fate::unknown);
        open_.resize(count);
        dependents_.resize(count);
        for (const std::uint32_t job : wanted) wanted_[job] = true;
        std::vector<bool> seen = wanted_;
        for (std::size_t i = count; i-- > 0;)  // whom they depend on comes before them
            if (seen[i])
                for (const std::uint32_t other : shop.plan.jobs[i].depends) seen[other] = true;
        for (std::uint32_t i = 0; i < count; ++i) {
            if (!seen[i]) continue;
            ++left_;
            const auto& depends = shop.plan.jobs[i].depends;
            open_[i] = static_cast<int>(depends.size());
            for (const std::uint32_t other : depends) dependents_[other].push_back(i);
            if (depends.empty()) queue(i, 0);
        }
    }

    struct Task {
        std::uint32_t job = 0;
        bool only_look = false;
    };

    /// Nothing: there is nothing to do right now. `gpu`: of a GPU's worker.
    std::optional<Task> next(bool gpu) {
        const std::lock_guard lock(mutex_);
        const double now = unix_time_s();
        for (auto& line : lines_) {
            const bool for_gpu = &line == &lines_[1];
            if (line.empty() || line.top().due_s > now || for_gpu != gpu) continue;
            const std::uint32_t job = line.top().job;
            if (!wanted_[job]) {
                line.pop();
                return Task{job, true};
            }
            if (!admission_.start(shop_.keys.engine_of(shop_.plan.jobs[job]), options_.available_memory()))
                return std::nullopt;
            line.pop();
            return Task{job, false};
        }
        return std::nullopt;
    }

    void attempted(std::uint32_t job, const Outcome& outcome) {
        const std::lock_guard lock(mutex_);
        const std::string engine = shop_.keys.engine_of(shop_.plan.jobs[job]);
        if (outcome.ending.kind == Ending::Kind::killed && outcome.ending.exit_code != 0) admission_.killed(engine);
        admission_.ended(engine, static_cast<std::uint64_t>(std::max<std::int64_t>(0, outcome.peak_bytes)));
        using Kind = Outcome::Kind;
        if (outcome.kind == Kind::done) ++result_.done;
        if (outcome.kind == Kind::already_done) ++result_.already_done;
        if (outcome.kind == Kind::failed) result_.failures.push_back({job, outcome.ending});
        if (outcome.kind == Kind::done || outcome.kind == Kind::already_done) settle(job, Fate::done);
        if (outcome.kind == Kind::failed) settle(job, Fate::failed);
        if (outcome.kind == Kind::busy) queue(job, unix_time_s() + kRecheckOthers);
        if (outcome.kind == Kind::later) queue(job, outcome.not_before_s);
        if (options_.on_outcome && outcome.kind != Kind::busy) options_.on_outcome(shop_.plan.jobs[job], outcome);
    }

    void looked_at(std::uint32_t job, State state) {
        const std::lock_guard lock(mutex_);
        if (state == State::done)
            settle(job, Fate::done);
        else if (state == State::failed)
            settle(job, Fate::failed);
        else
            queue(job, unix_time_s() + kRecheckOthers);
    }

    [[nodiscard]] bool ended() const {
        const std::lock_guard lock(mutex_);
        return left_ == 0 || failure_;
    }

    void fail(std::exception_ptr failure) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::move(failure);
    }

    RunnerResult result() {
        if (failure_) std::rethrow_exception(failure_);
        std::sort(result_.failures.begin(), result_.failures.end(),
                  [](const auto& a, const auto& b) { return a.job < b.job; });
        result_.failed = result_.failures.size();
        result_.stopped = left_ > 0;
        return std::move(result_);
    }

private:
    enum class Fate { unknown, done, failed };
    struct Entry {
        double due_s = 0;
        std::uint32_t job = 0;
        bool operator<(const Entry& other) const {  // the top of a queue is its largest
            return due_s != other.due_s ? due_s > other.due_s : job > other.job;
        }
    };

    void queue(std::uint32_t job, double due_s) {
        const bool gpu = !options_.gpus.empty() && (options_.workers == 0 || options_.wants_gpu(shop_.plan.jobs[job]));
        lines_[gpu ? 1 : 0].push({due_s, job});
    }

    /// The job has come to an end; so may have those that depend on it.
    void settle(std::uint32_t first, Fate fate) {
        std::vector<std::pair<std::uint32_t, Fate>> news{{first, fate}};
        while (!news.empty()) {
            const auto [job, what] = news.back();
            news.pop_back();
            if (fate_[job] != Fate::unknown) continue;
            fate_[job] = what;
            --left_;
            for (const std::uint32_t other : dependents_[job]) {
                if (what == Fate::done && --open_[other] == 0 && fate_[other] == Fate::unknown) queue(other, 0);
                if (what == Fate::done || fate_[other] != Fate::unknown) continue;
                if (wanted_[other]) ++result_.skipped;
                news.emplace_back(other, Fate::failed);
            }
        }
    }

    const Workshop& shop_;
    const RunnerOptions& options_;
    mutable std::mutex mutex_;
    Admission admission_;
    std::vector<bool> wanted_;
    std::vector<Fate> fate_;
    std::vector<int> open_;  // dependencies that are not done
    std::vector<std::vector<std::uint32_t>> dependents_;
    std::priority_queue<Entry> lines_[2];  // for the processor, for GPUs
    std::size_t left_ = 0;
    RunnerResult result_;
    std::exception_ptr failure_;
};

void work(const Workshop& shop, Schedule& schedule, const Slot& slot) {
    try {
        while (!schedule.ended() && !shop.stop()) {
            const auto task = schedule.next(slot.gpu >= 0);
            if (!task) {
                std::this_thread::sleep_for(kIdle);
                continue;
            }
            const Job& job = shop.plan.jobs[task->job];
            if (task->only_look)
                schedule.looked_at(task->job, status_of(job, shop.state, shop.keys).state);
            else
                schedule.attempted(task->job, attempt_job(shop, job, slot));
        }
    } catch (...) {
        schedule.fail(std::current_exception());
    }
}

/// What dead processes left behind of jobs that are done by now.
void sweep(const Workshop& shop) {
    shop.state.sweep();
    std::map<std::string, int> highest;
    shop.state.for_each_try([&](const std::string& id, int number) { highest[id] = std::max(highest[id], number); });
    if (highest.empty()) return;
    for (const Job& job : shop.plan.jobs)
        if (const auto found = highest.find(job.id); found != highest.end())
            if (status_of(job, shop.state, shop.keys).state == State::done) tidy_up(shop.state, job, found->second);
}

}  // namespace

RunnerResult run_jobs(const Workshop& shop, const std::vector<std::uint32_t>& wanted, const RunnerOptions& options) {
    Schedule schedule(shop, wanted, options);
    std::vector<std::thread> workers;
    for (int i = 0; i < options.workers; ++i)
        workers.emplace_back([&] { work(shop, schedule, {-1, options.threads}); });
    for (const int gpu : options.gpus) workers.emplace_back([&, gpu] { work(shop, schedule, {gpu, options.threads}); });
    for (std::thread& worker : workers) worker.join();
    if (options.sweep) sweep(shop);
    return schedule.result();
}

}  // namespace omnisync::batch
