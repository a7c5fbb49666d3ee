// Checks of all jobs together: files that get in each other's way, circles.
#pragma once

#include "batch/plan.h"

namespace omnisync::batch {

/// What a job's line says beside the job itself.
struct JobNames {
    std::vector<std::string> depends;
};

/// Two jobs that write one file, outputs outside the root, outputs that are an input of their own job or that another
/// job reads as something else than its result.
void check_files(const Plan& plan, const OptionTable& table, const PlanOptions& options, Problems& problems);

/// Resolves `depends` by name and by file (who reads another's output waits for it) and sorts the jobs by depth.
/// `names` is parallel to the jobs.
void put_in_order(Plan& plan, const std::vector<JobNames>& names, Problems& problems);

}  // namespace omnisync::batch
