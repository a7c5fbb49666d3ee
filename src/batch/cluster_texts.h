// What other people's schedulers are given: an array job for Slurm, a manifest for Kubernetes, a template of Open Job
// Description. Texts only; no name in them can become code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace omnisync::batch {

/// `word` for a POSIX shell, in quotes where it needs them.
[[nodiscard]] std::string shell_word(const std::string& word);
[[nodiscard]] std::string shell_line(const std::vector<std::string>& words);

/// Ascending numbers as "0-3,7,9-11".
[[nodiscard]] std::string ranges(const std::vector<std::uint32_t>& numbers);

/// One array job: tasks first + index, for each index. `wave`: tasks of one wave wait for all of the waves before.
struct ArrayJob {
    int wave = 0;
    std::uint32_t first = 0;
    std::vector<std::uint32_t> indices;  ///< ascending, below the cluster's limit
};

/// Splits `tasks` (numbers, ascending, each with its wave) into arrays whose indices stay below `limit`.
[[nodiscard]] std::vector<ArrayJob> array_jobs(const std::vector<std::pair<std::uint32_t, int>>& tasks,
                                               std::uint32_t limit);

struct SlurmScript {
    std::string name;
    std::string partition, gres, memory, time;  ///< may be empty; plain words
    std::vector<std::string> command;           ///< program and arguments of a task
};
[[nodiscard]] std::string slurm_script(const SlurmScript& script);

struct KubernetesJob {
    std::string name;  ///< lower-case letters, digits and "-"
    std::string image;
    std::vector<std::string> command;
    std::uint32_t tasks = 0;
    std::uint32_t parallel = 0;  ///< 0: all
    std::string memory;          ///< may be empty
    int gpus = 0;
    std::string claim, mount;  ///< may be empty
    int retries = 3;           ///< of each task
};
[[nodiscard]] std::string kubernetes_manifest(const KubernetesJob& job);

struct OpenJobTemplate {
    std::string name;
    std::vector<std::string> command;               ///< of a task, without its index
    std::vector<std::vector<std::uint32_t>> waves;  ///< task numbers; each wave is a step after the one before
    int gpus = 0;
};
/// Throws Error(usage) when a word holds "{{", which the format would take for a field.
[[nodiscard]] std::string openjd_template(const OpenJobTemplate& job);

}  // namespace omnisync::batch
