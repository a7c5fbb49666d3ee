// `batch submit`: the jobs as an array job, a manifest or a template.
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <thread>

#include "base/read_whole.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "batch.h"
#include "batch/cluster_texts.h"
#include "batch/job_status.h"
#include "child_process.h"
#include "omnisync/error.h"
#include "report.h"
#include "scratch_folder.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using batch::State;

struct Tasks {
    std::uint32_t count = 0;                                ///< of all
    std::vector<std::pair<std::uint32_t, int>> unfinished;  ///< number, wave; by wave, then by number
};

Tasks tasks_of(const BatchCommand& command, Batch& batch) {
    const auto all = batch::status_of(batch.plan, batch.state, *batch.keys);
    const auto each = static_cast<std::size_t>(command.items_per_task);
    Tasks tasks;
    tasks.count = static_cast<std::uint32_t>((all.size() + each - 1) / each);
    std::map<std::uint32_t, int> waves;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (batch::is_final(all[i].state)) continue;
        int& wave = waves[static_cast<std::uint32_t>(i / each)];
        wave = std::max(wave, batch.plan.jobs[i].depth);
    }
    tasks.unfinished.assign(waves.begin(), waves.end());
    std::stable_sort(tasks.unfinished.begin(), tasks.unfinished.end(),
                     [](const auto& a, const auto& b) { return a.second < b.second; });
    return tasks;
}

/// What a task runs, but for its index.
std::vector<std::string> task_words(const BatchCommand& command, const Session& session, const Batch& batch,
                                    const std::string& program) {
    const Global& global = session.global();
    std::vector<std::string> words{program,
                                   "batch",
                                   "task",
                                   "--state=" + batch.state.path(),
                                   concat("--items-per-task=", command.items_per_task),
                                   concat("--retries=", command.retries),
                                   "--backoff=" + decimal(command.backoff_s, 3),
                                   "--lease=" + decimal(command.lease_s, 3),
                                   "--expect=" + batch.plan.digest};
    if (!command.output_root.empty()) words.push_back("--output-root=" + fs::absolute(command.output_root).string());
    if (command.allow_outside) words.emplace_back("--allow-outside");
    if (global.threads > 0) words.push_back(concat("--threads=", global.threads));
    if (global.device != "auto") words.push_back("--device=" + global.device);
    if (!global.config.empty()) words.push_back("--config=" + fs::absolute(global.config).string());
    words.push_back("--progress=none");
    return words;
}

/// With the job file at the end, where its name cannot be an option.
std::vector<std::string> with_jobs(std::vector<std::string> words, const Batch& batch) {
    words.emplace_back("--");
    words.push_back(batch.plan.file);
    return words;
}

std::string output_of(const std::vector<std::string>& words) {
    const ScratchFolder scratch("omnisync-submit");
    const std::string out = (scratch.path() / "out").string();
    const std::string err = (scratch.path() / "err").string();
    std::vector<std::string> all{"/usr/bin/env"};
    all.insert(all.end(), words.begin(), words.end());
    ChildProcess child(all, out, err);
    std::optional<Ended> ended;
    while (!(ended = child.poll())) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (!ended->ok()) {
        std::string said = read_whole(err).value_or("");
        while (!said.empty() && said.back() == '\n') said.pop_back();
        constexpr int kNotFound = 127;
        throw Error(ExitCode::unavailable, concat("'", words.front(), "' failed: ", one_line(said)),
                    ended->exit_code == kNotFound ? "is this a machine of a Slurm cluster? --dry-run only prints" : "");
    }
    return read_whole(out).value_or("");
}

/// MaxArraySize of the cluster: indices stay below it.
std::uint32_t array_limit(bool dry_run) {
    constexpr std::uint32_t kUsual = 1001;
    std::string config;
    try {
        config = output_of({"scontrol", "show", "config"});
    } catch (const Error&) {
        if (!dry_run) throw;
        return kUsual;
    }
    const std::size_t at = config.find("MaxArraySize");
    if (at == std::string::npos) return kUsual;
    const std::size_t from = config.find_first_of("0123456789", at);
    const std::size_t to = from == std::string::npos ? from : config.find_first_not_of("0123456789", from);
    const auto value = from == std::string::npos ? std::nullopt : parse_integer(config.substr(from, to - from));
    return value && *value > 0 ? static_cast<std::uint32_t>(*value) : kUsual;
}

std::string doubled_percent(const std::string& path) {
    std::string result;
    for (const char letter : path) result += letter == '%' ? "%%" : std::string(1, letter);
    return result;
}

class SlurmSubmission {
public:
    SlurmSubmission(const BatchCommand& command, const Session& session, const Batch& batch)
        : command_(command), session_(session), batch_(batch), folder_(batch.state.path() + "/slurm") {}

    int run(const Tasks& tasks) {
        const auto arrays = batch::array_jobs(tasks.unfinished, array_limit(command_.dry_run));
        if (!command_.dry_run) fs::create_directories(folder_);
        for (std::size_t i = 0; i < arrays.size(); ++i) submit(arrays[i], i);
        if (command_.dry_run) return 0;
        if (session_.global().json) {
            session_.result(dump(Json{{"jobs", ids_}, {"tasks", tasks.unfinished.size()}, {"logs", folder_}}));
        } else {
            std::string text = concat("submitted ", tasks.unfinished.size(), " tasks as Slurm job");
            for (std::size_t i = 0; i < ids_.size(); ++i)
                text += (i == 0 ? (ids_.size() > 1 ? "s " : " ") : ", ") + ids_[i];
            session_.say(text + "; logs in " + one_line(folder_));
        }
        return 0;
    }

private:
    void submit(const batch::ArrayJob& array, std::size_t number) {
        if (array.wave != wave_) {
            wave_ = array.wave;
            before_ = current_;
            current_.clear();
        }
        const std::string script = script_of(array);
        const std::string path = concat(folder_, "/array-", number, ".sh");
        const std::vector<std::string> words = sbatch(array, path);
        if (command_.dry_run) {
            session_.result(concat("# ", batch::shell_line(words), "\n", script));
            current_.push_back(concat("JOB", number));
            return;
        }
        StagedFile file(path, true, {});
        file.write(script);
        file.publish();
        std::string id = output_of(words);
        id = id.substr(0, id.find_first_of(";\n"));
        ids_.push_back(id);
        current_.push_back(id);
    }

    [[nodiscard]] std::string script_of(const batch::ArrayJob& array) const {
        std::vector<std::string> words = task_words(command_, session_, batch_, own_program());
        words.push_back(concat("--first=", array.first));
        const SubmitOptions& asked = command_.submit;
        return batch::slurm_script(
            {asked.name, asked.partition, asked.gres, asked.memory, asked.time, with_jobs(std::move(words), batch_)});
    }

    [[nodiscard]] std::vector<std::string> sbatch(const batch::ArrayJob& array, const std::string& path) const {
        std::string indices = batch::ranges(array.indices);
        if (command_.submit.parallel > 0) indices += concat("%", command_.submit.parallel);
        std::vector<std::string> words{"sbatch", "--parsable", "--array=" + indices,
                                       "--output=" + doubled_percent(folder_) + "/%A_%a.log"};
        std::string waits;
        for (const std::string& id : before_) waits += ":" + id;
        if (!waits.empty()) words.push_back("--dependency=afterany" + waits);
        words.insert(words.end(), command_.submit.extra.begin(), command_.submit.extra.end());
        words.push_back(path);
        return words;
    }

    const BatchCommand& command_;
    const Session& session_;
    const Batch& batch_;
    std::string folder_;
    int wave_ = 0;
    std::vector<std::string> ids_, before_, current_;
};

void put_out(const BatchCommand& command, const Session& session, std::string text) {
    if (command.submit.output.empty()) {
        if (text.ends_with('\n')) text.pop_back();
        session.result(text);
        return;
    }
    StagedFile file(command.submit.output, false, {command.jobs});
    file.write(text);
    file.publish();
    session.say("written: " + one_line(command.submit.output));
}

std::string manifest(const BatchCommand& command, const Session& session, const Batch& batch, const Tasks& tasks) {
    const SubmitOptions& asked = command.submit;
    if (asked.image.empty()) throw Error(ExitCode::usage, "--k8s needs --image: a container image with omnisync in it");
    batch::KubernetesJob job;
    job.name = asked.name;
    std::replace_if(
        job.name.begin(), job.name.end(), [](unsigned char letter) { return std::isalnum(letter) == 0; }, '-');
    std::transform(job.name.begin(), job.name.end(), job.name.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    job.image = asked.image;
    job.command = with_jobs(task_words(command, session, batch, "omnisync"), batch);
    job.tasks = tasks.count;  // indices begin with 0 and have no holes: what is done ends at once
    job.parallel = static_cast<std::uint32_t>(asked.parallel);
    job.memory = asked.memory;
    job.gpus = asked.gpus;
    job.claim = asked.claim;
    job.mount = asked.mount.empty() ? batch.plan.base : asked.mount;
    job.retries = command.retries;
    return batch::kubernetes_manifest(job);
}

std::string open_template(const BatchCommand& command, const Session& session, const Batch& batch, const Tasks& tasks) {
    batch::OpenJobTemplate job;
    job.name = command.submit.name;
    job.gpus = command.submit.gpus;
    // Its --index goes before the job file.
    job.command = task_words(command, session, batch, own_program());
    job.command.insert(job.command.begin() + 3, batch.plan.file);
    int wave = -1;
    for (const auto& [task, of] : tasks.unfinished) {
        if (of != wave) job.waves.emplace_back();
        wave = of;
        job.waves.back().push_back(task);
    }
    return batch::openjd_template(job);
}

}  // namespace

int batch_submit(const BatchCommand& command, const Session& session, Batch& batch) {
    const SubmitOptions& asked = command.submit;
    if (static_cast<int>(asked.slurm) + static_cast<int>(asked.k8s) + static_cast<int>(asked.openjd) != 1)
        throw Error(ExitCode::usage, "submit needs one of --slurm, --k8s and --openjd");
    const Tasks tasks = tasks_of(command, batch);
    if (tasks.unfinished.empty()) {
        session.say("nothing is left to do");
        return 0;
    }
    if (asked.slurm) return SlurmSubmission(command, session, batch).run(tasks);
    put_out(command, session,
            asked.k8s ? manifest(command, session, batch, tasks) : open_template(command, session, batch, tasks));
    return 0;
}

}  // namespace omnisync::command
