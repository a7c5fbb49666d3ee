// One pair of a benchmark: dubbed and measured by processes of their own, and kept as a record.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bench_set.h"
#include "child_process.h"
#include "command.h"
#include "report.h"

namespace omnisync::command {

/// The folders of a benchmark's output.
struct BenchFolders {
    explicit BenchFolders(const std::string& root);
    std::filesystem::path root;
    std::filesystem::path results, records, reports, evaluations, features, page, logs;
};

/// What the tasks of one run share. Outlives them.
struct BenchRun {
    const BenchCommand& command;
    const Global& global;
    BenchFolders folders;
    Json settings;  ///< what decides about results but for the inputs
};

/// What becomes of one pair. Pairs with the same contents have one key and share a record.
struct BenchRecord {
    std::string key;
    std::string state;                    ///< "done", "failed"
    std::string stage;                    ///< of a failure: "dub", "eval", "result"
    int exit = 0;                         ///< of a failure
    std::string reason;                   ///< of a failure, one line
    std::string result;                   ///< relative to the output; of --outputs: the path
    Json figures = Json::object();        ///< as eval gives them; null without --measure
    Json demands = Json::array();         ///< as eval gives them
    std::optional<std::int64_t> redrawn;  ///< pictures with a redrawn mouth; nothing for ready results
    std::string features;                 ///< file of the result's features, relative; empty: none
    std::string reference_features;       ///< the same of the reference or source
    std::string shown_source;             ///< what the page plays in place of the source; empty: the source
    std::string shown_result;
    Json timings = Json::object();  ///< seconds of each stage

    [[nodiscard]] bool done() const { return state == "done"; }
};

/// The record of this key, when there is one that is whole, whose files are there, and that need not be tried again: it
/// is done, or its input is bad.
[[nodiscard]] std::optional<BenchRecord> load_record(const BenchFolders& folders, const std::string& key);

class BenchTask {
public:
    /// `key`: of the pair's contents; `truth`: of its reference's, or source's, and how it is measured. `output`: the
    /// ready result, with --outputs.
    BenchTask(const BenchRun& run, const BenchPair& pair, std::string key, std::string truth,
              std::optional<std::string> output);

    /// Starts what is next, or looks at what runs. True: the record is written.
    [[nodiscard]] bool advance();
    [[nodiscard]] const BenchRecord& record() const { return record_; }
    void send(int signal) const;

private:
    enum class Stage { dub, eval, reference, source_copy, result_copy, end };

    [[nodiscard]] bool is_wanted(Stage stage) const;
    void finish(Stage stage, const Ended& ended);
    void finish_dub();
    void finish_eval(const Ended& ended);
    void fail_with(const std::string& stage, const Ended& ended, const std::string& log);
    void save() const;
    [[nodiscard]] std::vector<std::string> words_of(Stage stage) const;
    [[nodiscard]] std::string reference_features() const;
    [[nodiscard]] std::string log_of(Stage stage) const;
    [[nodiscard]] std::string output_of(Stage stage) const;
    [[nodiscard]] std::string result_path() const;
    [[nodiscard]] std::string relative(const std::filesystem::path& folder, const std::string& extension) const;

    const BenchRun& run_;
    const BenchPair& pair_;
    std::string name_;   // of files
    std::string truth_;  // key of what the result is compared with
    std::optional<std::string> output_;
    BenchRecord record_;
    Stage stage_ = Stage::dub;
    std::optional<ChildProcess> child_;
};

}  // namespace omnisync::command
