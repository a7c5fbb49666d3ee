// Does the jobs of a plan with some workers, beside other runners of the same batch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "batch/admission.h"
#include "batch/attempt.h"
#include "batch/job_status.h"

namespace omnisync::batch {

struct RunnerOptions {
    int workers = 1;                                  ///< jobs on the processor at a time; 0: only on GPUs
    std::vector<int> gpus;                            ///< one job at a time on each
    int threads = 0;                                  ///< of each job
    std::function<std::uint64_t()> available_memory;  ///< bytes; 0: unknown
    std::function<bool(const Job&)> wants_gpu;        ///< when there are GPUs
    bool sweep = true;  ///< at the end put away what dead processes left of jobs that are done; reads the whole folder
    /// Called by one thread at a time, when a job has come to an end or is put off.
    std::function<void(const Job&, const Outcome&)> on_outcome;
};

struct RunnerResult {
    std::size_t done = 0;          ///< by this runner
    std::size_t already_done = 0;  ///< before it, or by others meanwhile
    std::size_t failed = 0;
    std::size_t skipped = 0;  ///< depend on one that failed
    bool stopped = false;
    struct Failure {
        std::uint32_t job = 0;
        Ending ending;
    };
    std::vector<Failure> failures;  ///< in the plan's order
};

/// Does the jobs `wanted` (indices into the plan) and waits for those that others do; ends when all of them are done,
/// failed or skipped, or `shop.stop` says so. Jobs that they depend on but are not wanted are waited for, not done.
[[nodiscard]] RunnerResult run_jobs(const Workshop& shop, const std::vector<std::uint32_t>& wanted,
                                    const RunnerOptions& options);

}  // namespace omnisync::batch
