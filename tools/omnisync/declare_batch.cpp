// The options of `batch`.
#include <utility>

#include "base/text.h"
#include "command.h"
#include "omnisync/error.h"
#include "option.h"

namespace omnisync::command {
namespace {

constexpr double kLongestWait = 24 * 3600;
constexpr Range kCount{0, 1000000};

Option workers(int& target) {
    Option option;
    option.names = "--workers";
    option.placeholder = "N|auto";
    option.help = "run: jobs on the processor at a time, 0 to 1024; auto: one for two cores, while the memory lasts";
    option.assign = [&target](const std::string& given) {
        constexpr int kMost = 1024;
        const auto value = given == "auto" ? std::optional<std::int64_t>(-1) : parse_integer(given);
        if (!value || *value > kMost || (*value < 0 && given != "auto"))
            throw Error(ExitCode::usage, concat("must be auto or a whole number from 0 to 1024, not '", given, "'"));
        target = static_cast<int>(*value);
    };
    option.show = [&target] { return target < 0 ? std::string("auto") : std::to_string(target); };
    option.default_text = "auto";
    return option;
}

Option gpus(std::string& target) {
    Option option = text("--gpus", "N|auto", target,
                         "run: GPUs, with one job at a time on each; auto: those of CUDA_VISIBLE_DEVICES, else all");
    option.assign = [&target](const std::string& given) {
        if (given != "auto" && parse_integer(given).value_or(-1) < 0)
            throw Error(ExitCode::usage, concat("must be auto or a whole number, not '", given, "'"));
        target = given;
    };
    return option;
}

/// Words that go into a script's or a manifest's own syntax.
Option plain_word(std::string name, std::string placeholder, std::string& target, std::string help) {
    Option option = text(std::move(name), std::move(placeholder), target, std::move(help));
    option.assign = [&target](const std::string& given) {
        const bool plain = !given.empty() && given.find_first_not_of(
                                                 "abcdefghijklmnopqrstuvwxyz"
                                                 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                 "0123456789_-.:,=/@+") == std::string::npos;
        if (!plain || given.front() == '-')
            throw Error(ExitCode::usage, concat("must be letters, digits and _-.:,=/@+, not '", given, "'"));
        target = given;
    };
    return std::move(option).command_line_only();
}

void add_submit(std::vector<Option>& options, SubmitOptions& submit) {
    std::vector<Option> own{
        flag("--slurm", submit.slurm, "submit: an array job, submitted with sbatch").command_line_only(),
        flag("--k8s", submit.k8s, "submit: write the manifest of an Indexed Job for Kubernetes").command_line_only(),
        flag("--openjd", submit.openjd, "submit: write an Open Job Description template").command_line_only(),
        text("-o,--output", "FILE", submit.output, "submit: where the manifest or template goes")
            .defaults_to("standard output")
            .command_line_only(),
        integer("--parallel", "N", submit.parallel, kCount, "submit: tasks at a time; 0: as many as the cluster likes")
            .command_line_only(),
        plain_word("--job-name", "NAME", submit.name, "submit: what the cluster calls the job"),
        plain_word("--partition", "NAME", submit.partition, "submit --slurm: as of sbatch"),
        plain_word("--gres", "LIST", submit.gres, "submit --slurm: as of sbatch, for example gpu:1"),
        plain_word("--mem", "SIZE", submit.memory, "submit: memory of a task, for example 8G (Kubernetes: 8Gi)"),
        plain_word("--time", "TIME", submit.time, "submit --slurm: limit of a task, as of sbatch"),
        texts("--sbatch", "OPTION", submit.extra,
              "submit --slurm: a further option for sbatch, for example --sbatch=--account=film; may be given several "
              "times"),
        plain_word("--image", "NAME", submit.image, "submit --k8s: container image with omnisync in it"),
        plain_word("--claim", "NAME", submit.claim, "submit --k8s: volume claim with job file, inputs and outputs"),
        text("--mount", "DIR", submit.mount, "submit --k8s: where the claim is mounted")
            .defaults_to("the job file's folder")
            .command_line_only(),
        integer("--task-gpus", "N", submit.gpus, {0, 64}, "submit --k8s, --openjd: GPUs of a task")
            .command_line_only()};
    for (Option& option : own) options.push_back(std::move(option));
}

}  // namespace

CommandSpec declare_batch(BatchCommand& batch) {
    CommandSpec spec;
    spec.name = "batch";
    spec.summary = "many dub jobs: local workers, clusters, what became of each";
    spec.description =
        "ACTION is run (do what is not done, with local workers), status (how each job stands), retry (failed ones are "
        "to be tried again by the next run), submit (to a cluster) or task (what one task of a cluster's job runs). "
        "JOBS has a job on each line, JSON or CSV: video, speech, output, any option of dub, name, depends "
        "(docs/batch.md). Whatever is interrupted goes on where it was with the same command.";
    spec.operands = {{"ACTION", "run, task, status, retry or submit", &batch.action},
                     {"JOBS", "the job file: .csv, else JSON Lines", &batch.jobs}};
    spec.options = {
        text("--state", "DIR", batch.state, "folder with the state of each job")
            .defaults_to("JOBS.state")
            .command_line_only(),
        text("--output-root", "DIR", batch.output_root, "no job may write outside this folder")
            .defaults_to("the job file's folder")
            .command_line_only(),
        flag("--allow-outside", batch.allow_outside, "jobs may write anywhere").command_line_only(),
        workers(batch.workers),
        gpus(batch.gpus),
        integer("--retries", "N", batch.retries, {0, 100}, "run, task: further attempts after a failure that may pass"),
        number("--backoff", "SECONDS", batch.backoff_s, {0, kLongestWait},
               "run, task: wait before the first of them; doubled each time, 60 at most"),
        number("--lease", "SECONDS", batch.lease_s, {1, kLongestWait},
               "a process on another machine is taken for dead after this long without a sign of life"),
        flag("--dry-run", batch.dry_run,
             "run: say what would be done and estimate time and memory; submit --slurm: print the scripts")
            .command_line_only(),
        integer("--sample", "N", batch.sample, {0, 1000},
                "run --dry-run: jobs of each engine to rehearse for the estimate")
            .command_line_only(),
        flag("--watch", batch.watch, "status: again and again, until nothing is left to do").command_line_only(),
        number("--every", "SECONDS", batch.every_s, {0.1, kLongestWait}, "status --watch: pause between two looks")
            .command_line_only(),
        flag("--all", batch.all, "retry: also what is done").command_line_only(),
        texts("--name", "NAME", batch.names, "retry: only the jobs of this name or output; may be given several times"),
        integer("--index", "I", batch.index, {0, 1e9}, "task: which, from 0")
            .defaults_to("OMNISYNC_TASK_INDEX, SLURM_ARRAY_TASK_ID, JOB_COMPLETION_INDEX, AWS_BATCH_JOB_ARRAY_INDEX")
            .command_line_only(),
        integer("--items-per-task", "N", batch.items_per_task, {1, 1e6}, "task, submit: jobs of one task")
            .command_line_only(),
        integer("--first", "I", batch.first, {0, 1e9}, "task: added to the index").command_line_only(),
        text("--expect", "DIGEST", batch.expect, "task: fail (65) when the jobs are not those that were submitted")
            .command_line_only(),
    };
    add_submit(spec.options, batch.submit);
    spec.examples = {"# everything, two at a time; again after whatever end",
                     "omnisync batch run jobs.jsonl --workers 2", "# on a Slurm cluster, a GPU for each task",
                     "omnisync batch submit jobs.jsonl --slurm --gres gpu:1 --mem 8G --time 1:00:00"};
    return spec;
}

}  // namespace omnisync::command
