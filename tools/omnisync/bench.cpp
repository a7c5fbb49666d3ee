// `omnisync bench`: a set of pairs, each dubbed and measured by processes of its own, and what that amounts to.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <list>
#include <map>
#include <set>
#include <system_error>
#include <thread>

#include "base/log.h"
#include "base/staged_file.h"
#include "base/text.h"
#include "bench_page.h"
#include "bench_set.h"
#include "bench_tables.h"
#include "bench_task.h"
#include "content_key.h"
#include "engine_at_work.h"
#include "omnisync/dubber.h"
#include "omnisync/error.h"
#include "session.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

/// The benchmark's folder is this process's alone until it ends, however it ends.
class FolderLock {
public:
    explicit FolderLock(const fs::path& file) : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        require(descriptor_ >= 0, ExitCode::cannot_create, "cannot write '", file.string(),
                "': ", std::generic_category().message(errno));
        if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
        ::close(descriptor_);
        throw Error(ExitCode::cannot_create,
                    concat("another benchmark is at work in '", file.parent_path().string(), "'"),
                    "wait for it, or choose another folder");
    }
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;
    ~FolderLock() { ::close(descriptor_); }

private:
    int descriptor_;
};

constexpr const char* kLock = ".omnisync-bench";

void check_command(const BenchCommand& command) {
    const bool pairs = command.benchmark == "pairs";
    if (!pairs && command.benchmark != "aigc-lipsync")
        throw Error(ExitCode::usage, concat("BENCHMARK must be pairs or aigc-lipsync, not '", command.benchmark, "'"),
                    did_you_mean(command.benchmark, {"pairs", "aigc-lipsync"}));
    if (pairs && !command.manifest.empty())
        throw Error(ExitCode::usage, "--manifest is for aigc-lipsync", "pairs takes its list as SET");
    if (!command.outputs.empty() && !command.dub.empty())
        throw Error(ExitCode::usage, "--outputs and --dub contradict each other", "ready results are not dubbed");
    require(command.outputs.empty() || fs::is_directory(command.outputs), ExitCode::no_input, "there is no folder '",
            command.outputs, "' for --outputs");
}

std::vector<BenchPair> read_set(const BenchCommand& command) {
    if (command.benchmark == "pairs") return read_pairs(command.set);
    return command.manifest.empty() ? read_aigc_lipsync(command.set) : read_pairs(command.manifest);
}

/// A folder that is new, empty, or a benchmark's.
void make_folders(const BenchFolders& folders) {
    std::error_code error;
    const fs::path& root = folders.root;
    if (fs::exists(root) && (!fs::is_directory(root) || (!fs::exists(root / kLock) && !fs::is_empty(root))))
        throw Error(ExitCode::cannot_create, concat("'", root.string(), "' exists and is no benchmark's folder"),
                    "choose another name");
    for (const fs::path* folder : {&folders.root, &folders.results, &folders.records, &folders.reports,
                                   &folders.evaluations, &folders.features, &folders.page, &folders.logs}) {
        fs::create_directories(*folder, error);
        require(!error, ExitCode::cannot_create, "cannot create the folder '", folder->string(),
                "': ", error.message());
    }
}

/// What a killed run left half written. Nobody else writes here: the folder is locked.
void sweep(const BenchFolders& folders) {
    for (const fs::path& folder :
         {folders.results, folders.records, folders.reports, folders.features, folders.page, folders.root})
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            std::error_code ignored;
            if (entry.is_regular_file() && name.starts_with('.') && name.ends_with(".part"))
                fs::remove(entry.path(), ignored);
        }
}

void publish(const fs::path& path, const std::string& text) {
    StagedFile file(path.string(), true, {});
    file.write(text);
    file.publish();
}

std::string method_of(const BenchCommand& command) {
    if (!command.method.empty()) return command.method;
    if (command.outputs.empty()) return "omnisync " + command.settings.engine;
    return (fs::path(command.outputs) / "").parent_path().filename().string();
}

class Bench {
public:
    Bench(const BenchCommand& command, const Session& session)
        : command_(command),
          session_(session),
          run_{command, session.global(), BenchFolders(command.output), {}},
          pairs_(read_set(command)) {
        if (!command.verdicts.empty()) verdicts_ = read_verdicts(command.verdicts, pairs_);
    }

    int run() {
        make_folders(run_.folders);
        const FolderLock lock(run_.folders.root / kLock);
        sweep(run_.folders);
        if (command_.outputs.empty()) require_engine(command_.settings);
        run_.settings = settings_key();
        look_up();
        work();
        const BenchResult result = gather();
        write(result);
        report(result);
        return 0;
    }

private:
    Json settings_key() {
        Json key{{"bench", 1},
                 {"program", program_key()},
                 {"dub", command_.outputs.empty() ? dub_settings_key(command_.settings, hashes_) : Json(nullptr)},
                 {"measure", command_.measure}};
        if (command_.measure) key.update({{"eval", command_.eval}, {"demands", command_.demands}});
        return key;
    }

    /// Finds each pair's key, and the records that are there already. A pair that cannot be tried has its failure here.
    void look_up() {
        for (const BenchPair& pair : pairs_) {
            if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted", "run the same command again");
            BenchRecord failed;
            failed.state = "failed";
            failed.stage = "input";
            failed.exit = static_cast<int>(ExitCode::no_input);
            failed.reason = pair.problem;
            try {
                if (!command_.outputs.empty() && failed.reason.empty())
                    outputs_[&pair] = output_of_pair(command_.outputs, pair.name);
                if (!command_.outputs.empty() && failed.reason.empty() && !outputs_[&pair]) {
                    failed.stage = "dub";
                    failed.reason = "there is no result for it";
                }
                if (failed.reason.empty()) keys_[&pair] = key_of_pair(pair);
            } catch (const Error& error) {
                if (error.code() == ExitCode::interrupted) throw;
                failed.exit = static_cast<int>(error.code());
                failed.reason = one_line(error.what());
            }
            if (!failed.reason.empty()) {
                failures_[&pair] = failed;
                log::warn("'", pair.name, "': ", failed.reason);
                continue;
            }
            const std::string& key = keys_[&pair];
            if (records_.contains(key)) continue;
            if (auto known = load_record(run_.folders, key)) {
                records_[key] = *std::move(known);
                ++known_;
            } else if (waiting_keys_.insert(key).second) {
                waiting_.push_back(&pair);
            }
        }
    }

    std::string key_of_pair(const BenchPair& pair) {
        Json key = run_.settings;
        key["video"] = hashes_.of(pair.video);
        key["speech"] = hashes_.of(pair.speech);
        key["reference"] = pair.reference.empty() ? Json(nullptr) : Json(hashes_.of(pair.reference));
        key["output"] = outputs_[&pair] ? Json(hashes_.of(*outputs_[&pair])) : Json(nullptr);
        return key_of(key);
    }

    std::string truth_of(const BenchPair& pair) {
        return key_of({{"features", run_.settings["program"]},
                       {"eval", command_.eval},
                       {"video", hashes_.of(pair.reference.empty() ? pair.video : pair.reference)}});
    }

    void work() {
        if (known_ > 0) log::info(known_, " pairs were done before, ", waiting_.size(), " are to be done");
        std::list<BenchTask> active;
        std::size_t next = 0;
        std::size_t done = 0;
        while (next < waiting_.size() || !active.empty()) {
            if (stop_requested()) stop(active);
            for (; next < waiting_.size() && active.size() < static_cast<std::size_t>(command_.jobs); ++next)
                active.emplace_back(run_, *waiting_[next], keys_[waiting_[next]], truth_of(*waiting_[next]),
                                    outputs_[waiting_[next]]);
            for (auto task = active.begin(); task != active.end();) {
                if (!task->advance()) {
                    ++task;
                    continue;
                }
                const BenchRecord& record = task->record();
                log::info(++done, " of ", waiting_.size(), ": ",
                          record.done() ? "done" : record.stage + ": " + record.reason);
                records_[record.key] = record;
                task = active.erase(task);
            }
            std::this_thread::sleep_for(10ms);
        }
    }

    /// Gives what runs a moment to clean up.
    [[noreturn]] static void stop(std::list<BenchTask>& active) {
        for (const BenchTask& task : active) task.send(SIGTERM);
        std::this_thread::sleep_for(500ms);
        active.clear();
        throw Error(ExitCode::interrupted, "interrupted: the pairs that are done are kept",
                    "run the same command again");
    }

    BenchResult gather() {
        BenchResult result{command_, method_of(command_), {}, {}, {}};
        for (const BenchPair& pair : pairs_) {
            BenchRow row;
            row.pair = &pair;
            row.record = failures_.contains(&pair) ? failures_[&pair] : records_.at(keys_[&pair]);
            row.failed_checks = failed_checks(row.record, command_);
            if (verdicts_.contains(pair.name)) row.verdict = verdicts_[pair.name];
            result.rows.push_back(std::move(row));
        }
        result.groups = summarise(result.rows, command_);
        result.frechet = set_distance(result.rows, run_.folders);
        return result;
    }

    void write(const BenchResult& result) const {
        const fs::path& root = run_.folders.root;
        publish(root / "results.csv", results_csv(result));
        publish(root / "results.json", dump(results_json(result)) + "\n");
        publish(root / "table.md", results_markdown(result));
        publish(root / "timings.csv", timings_csv(result));
        publish(root / "index.html",
                bench_page(result, root.string(), static_cast<std::uint64_t>(command_.embed_mib) << 20U));
        // People write into it.
        if (!fs::exists(root / "verdicts.csv")) publish(root / "verdicts.csv", verdicts_csv(result));
    }

    void report(const BenchResult& result) const {
        const GroupSummary& all = result.groups.front();
        if (session_.global().json) session_.result(dump(results_json(result)));
        session_.say(concat(one_line(command_.output), ": ", all.pairs, " pairs, ", all.done, " made, ",
                            decimal(100 * all.success.value, 1), " % pass the automatic checks; table.md, index.html"));
    }

    const BenchCommand& command_;
    const Session& session_;
    BenchRun run_;
    std::vector<BenchPair> pairs_;
    std::map<std::string, Verdict> verdicts_;
    FileHashes hashes_;
    std::map<const BenchPair*, std::optional<std::string>> outputs_;
    std::map<const BenchPair*, std::string> keys_;
    std::map<const BenchPair*, BenchRecord> failures_;
    std::map<std::string, BenchRecord> records_;
    std::vector<const BenchPair*> waiting_;
    std::set<std::string> waiting_keys_;
    std::size_t known_ = 0;
};

}  // namespace

int run_bench(const BenchCommand& command, const Session& session) {
    check_command(command);
    return Bench(command, session).run();
}

}  // namespace omnisync::command
