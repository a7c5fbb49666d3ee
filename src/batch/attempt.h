// One attempt at one job: from taking hold of it to the result under its name.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "batch/job_key.h"
#include "batch/plan.h"
#include "batch/retry_policy.h"
#include "batch/state_folder.h"

namespace omnisync::batch {

/// Gives signs of life for attempts while this process works at them, and sees when one was taken away.
class Heartbeats {
public:
    explicit Heartbeats(const StateFolder& state);
    Heartbeats(const Heartbeats&) = delete;
    Heartbeats& operator=(const Heartbeats&) = delete;
    ~Heartbeats();

    class Beat {
    public:
        Beat(Heartbeats& all, std::string id, int number, std::string attempt);
        Beat(const Beat&) = delete;
        Beat& operator=(const Beat&) = delete;
        ~Beat();
        /// Somebody else works at the job.
        [[nodiscard]] bool lost() const { return lost_; }

    private:
        friend class Heartbeats;
        Heartbeats& all_;
        std::string id_, attempt_;
        int number_;
        std::atomic<bool> lost_ = false;
    };

private:
    void run();

    const StateFolder& state_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool end_ = false;
    std::list<Beat*> beats_;
    std::thread thread_;
};

/// Where a job runs.
struct Slot {
    int gpu = -1;     ///< its number; -1: none
    int threads = 0;  ///< 0: as many as the machine has
};

/// What is to be run for a job.
struct ChildJob {
    const Job& job;
    Slot slot;
    std::string output;          ///< where the result is to be written
    Settings options;            ///< the job's, with the places of further files
    std::string log;             ///< for what it writes to stderr
    std::function<bool()> stop;  ///< true: it is to end soon
    std::function<bool()> lost;  ///< true: it is to end at once
};
using RunChild = std::function<ChildEnd(const ChildJob&)>;

struct Outcome {
    enum class Kind {
        done,          ///< now
        already_done,  ///< before, or by somebody else
        failed,        ///< for good: `ending`
        later,         ///< not before `not_before_s`
        busy,          ///< somebody else works at it
        stopped        ///< told to stop
    };
    Kind kind = Kind::busy;
    double not_before_s = 0;  ///< Unix time
    Ending ending{};          ///< of failed and later
    double seconds = 0;       ///< of done
    std::int64_t peak_bytes = 0;
};

/// Everything that attempts share; outlives them. Thread-safe.
struct Workshop {
    const Plan& plan;
    const OptionTable& table;
    const StateFolder& state;
    KeyMaker& keys;
    Heartbeats& heartbeats;
    RunChild run_child;
    RetryPolicy policy;
    std::function<bool()> stop;
};

/// Does the job unless it is done, failed for good, in other hands or not yet due. Failures of the job are outcomes;
/// throws Error for those of the state folder.
[[nodiscard]] Outcome attempt_job(const Workshop& shop, const Job& job, const Slot& slot);

/// Removes what this and dead processes left of a job that is done. `highest`: of the attempts that were seen.
void tidy_up(const StateFolder& state, const Job& job, int highest);

}  // namespace omnisync::batch
