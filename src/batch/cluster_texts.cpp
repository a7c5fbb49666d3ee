#include "batch/cluster_texts.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "omnisync/error.h"

namespace omnisync::batch {
namespace {

using Json = nlohmann::ordered_json;

std::string yaml_list(const std::vector<std::string>& words) {
    std::string text = "[";
    for (const std::string& word : words) text += (text.size() > 1 ? ", " : "") + json::quote(word);
    return text + "]";
}

}  // namespace

std::string shell_word(const std::string& word) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char letter) {
        return std::isalnum(letter) != 0 ||
               std::string_view("-_./:=+,%@").find(static_cast<char>(letter)) != std::string_view::npos;
    });
    if (plain) return word;
    std::string quoted = "'";
    for (const char letter : word) quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    return quoted + "'";
}

std::string shell_line(const std::vector<std::string>& words) {
    std::string line;
    for (const std::string& word : words) line += (line.empty() ? "" : " ") + shell_word(word);
    return line;
}

std::string ranges(const std::vector<std::uint32_t>& numbers) {
    std::string text;
    for (std::size_t i = 0; i < numbers.size();) {
        std::size_t end = i + 1;
        while (end < numbers.size() && numbers[end] == numbers[end - 1] + 1) ++end;
        text += (text.empty() ? "" : ",") + std::to_string(numbers[i]);
        if (end - i > 1) text += "-" + std::to_string(numbers[end - 1]);
        i = end;
    }
    return text;
}

std::vector<ArrayJob> array_jobs(const std::vector<std::pair<std::uint32_t, int>>& tasks, std::uint32_t limit) {
    require(limit > 0, ExitCode::unavailable, "the cluster takes no array jobs");
    std::vector<ArrayJob> arrays;
    for (const auto& [task, wave] : tasks) {
        if (arrays.empty() || arrays.back().wave != wave || task - arrays.back().first >= limit)
            arrays.push_back({wave, task, {}});
        arrays.back().indices.push_back(task - arrays.back().first);
    }
    return arrays;
}

std::string slurm_script(const SlurmScript& script) {
    std::string text = "#!/bin/bash\n#SBATCH --job-name=" + script.name + "\n";
    if (!script.partition.empty()) text += "#SBATCH --partition=" + script.partition + "\n";
    if (!script.gres.empty()) text += "#SBATCH --gres=" + script.gres + "\n";
    if (!script.memory.empty()) text += "#SBATCH --mem=" + script.memory + "\n";
    if (!script.time.empty()) text += "#SBATCH --time=" + script.time + "\n";
    text +=
        "# Run again after a preemption or a node's end; and when the time is nearly over, which USR1 tells the task.\n"
        "#SBATCH --requeue\n#SBATCH --open-mode=append\n#SBATCH --signal=B:USR1@60\n"
        "# exec: signals to the script are signals to the task.\n";
    return text + "exec " + shell_line(script.command) + "\n";
}

std::string kubernetes_manifest(const KubernetesJob& job) {
    constexpr std::uint32_t kMostTasks = 100'000;
    if (job.tasks > kMostTasks)
        throw Error(ExitCode::usage,
                    concat("Kubernetes takes no more than ", kMostTasks, " tasks, these are ", job.tasks),
                    "--items-per-task packs several jobs into one");
    const std::string parallel = std::to_string(job.parallel > 0 ? std::min(job.parallel, job.tasks) : job.tasks);
    std::string text = concat(
        "# Tasks are started by rising index, and a job comes after those that it depends on.\n"
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: ",
        json::quote(job.name), "\nspec:\n", "  completionMode: Indexed\n  completions: ", job.tasks,
        "\n  parallelism: ", parallel, "\n  backoffLimitPerIndex: ", job.retries, "\n  maxFailedIndexes: ", job.tasks,
        "\n  podFailurePolicy:\n    rules:\n"
        "      # What no repetition mends; see docs/batch.md.\n"
        "      - action: FailIndex\n        onExitCodes:\n          containerName: omnisync\n          operator: In\n"
        "          values: [64, 65, 66, 69, 73, 76, 77, 78]\n"
        "      # Preempted or drained: not the task's fault.\n"
        "      - action: Ignore\n        onPodConditions:\n          - type: DisruptionTarget\n"
        "  template:\n    spec:\n      restartPolicy: Never\n      terminationGracePeriodSeconds: 30\n"
        "      containers:\n        - name: omnisync\n          image: ",
        json::quote(job.image), "\n          command: ", yaml_list(job.command), "\n");
    std::string limits;
    if (!job.memory.empty()) limits += "              memory: " + json::quote(job.memory) + "\n";
    if (job.gpus > 0) limits += concat("              nvidia.com/gpu: ", job.gpus, "\n");
    if (!limits.empty()) text += "          resources:\n            limits:\n" + limits;
    if (!job.claim.empty())
        text += concat("          volumeMounts:\n            - name: files\n              mountPath: ",
                       json::quote(job.mount), "\n      volumes:\n        - name: files\n",
                       "          persistentVolumeClaim:\n            claimName: ", json::quote(job.claim), "\n");
    return text;
}

std::string openjd_template(const OpenJobTemplate& job) {
    for (const std::string& word : job.command)
        if (word.find("{{") != std::string::npos)
            throw Error(ExitCode::usage,
                        concat("'", word, "' holds '{{', which Open Job Description takes for a field"),
                        "give the file or folder another name");
    Json steps = Json::array();
    for (std::size_t i = 0; i < job.waves.size(); ++i) {
        std::vector<std::string> arguments(job.command.begin() + 1, job.command.end());
        arguments.insert(arguments.end(), {"--index", "{{Task.Param.Index}}"});
        Json step{{"name", concat("wave", i)},
                  {"parameterSpace",
                   {{"taskParameterDefinitions",
                     Json::array({{{"name", "Index"}, {"type", "INT"}, {"range", ranges(job.waves[i])}}})}}},
                  {"script", {{"actions", {{"onRun", {{"command", job.command.front()}, {"args", arguments}}}}}}}};
        if (i > 0) step["dependencies"] = Json::array({{{"dependsOn", concat("wave", i - 1)}}});
        if (job.gpus > 0)
            step["hostRequirements"] = {{"amounts", Json::array({{{"name", "amount.worker.gpu"}, {"min", job.gpus}}})}};
        steps.push_back(std::move(step));
    }
    const Json document{{"specificationVersion", "jobtemplate-2023-09"}, {"name", job.name}, {"steps", steps}};
    return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace omnisync::batch
