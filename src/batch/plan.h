// The jobs of a job file: one for each output, in an order in which they can be done.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "batch/job_file.h"

namespace omnisync::batch {

/// Paths are absolute.
struct Job {
    std::string id;    ///< 32 hexadecimal digits: of the output's path from the job file's folder
    std::string name;  ///< may be empty
    int line = 0;
    int depth = 0;  ///< 0: depends on none; else one more than the deepest of its `depends`
    std::string video, speech, output;
    Settings options;                    ///< by name; with those that the configuration gives all jobs
    std::vector<std::uint32_t> depends;  ///< indices into Plan::jobs, smaller than its own; ascending

    /// Its value here, else `fallback`.
    [[nodiscard]] std::string_view option(std::string_view name, std::string_view fallback = {}) const;
};

struct Plan {
    std::string file;       ///< the job file, absolute
    std::string base;       ///< its folder
    std::vector<Job> jobs;  ///< by depth, then by line, then by index within the line
    std::string digest;     ///< of ids and their order

    /// The output from the job file's folder, for people.
    [[nodiscard]] std::string label(const Job& job) const;
};

struct PlanOptions {
    std::string output_root;     ///< outputs lie below it; empty: the job file's folder
    bool allow_outside = false;  ///< anywhere
    Settings defaults;           ///< options of jobs that give none themselves; paths absolute
};

/// Reads and checks a job file. Throws Error: no_input, bad_data with the line, not_allowed (with the line) for an
/// output outside the root or that is an input.
[[nodiscard]] Plan make_plan(const std::string& file, const OptionTable& table, const PlanOptions& options);

/// The same of a text; `file` need not exist.
[[nodiscard]] Plan make_plan(std::string_view text, const std::string& file, const OptionTable& table,
                             const PlanOptions& options);

}  // namespace omnisync::batch
