// What a result depends on, as one sum: while it stays the same, the work need not be done again.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "batch/plan.h"
#include "batch/records.h"

namespace omnisync::batch {

struct JobKey {
    std::string key;       ///< of settings and inputs
    std::string settings;  ///< of version, engine, weights and options
    std::vector<FileMark> inputs;
};

/// What a failure depends on: as the key, and on whether the job may replace files.
[[nodiscard]] std::string attempt_key(const Job& job, const std::string& key);

/// Thread-safe.
class KeyMaker {
public:
    /// Names an engine's weights by what they hold, for (engine, --models); asked once for each pair.
    using Weights = std::function<std::string(const std::string& engine, const std::string& models)>;

    KeyMaker(const OptionTable& table, std::string version, Weights weights, std::function<bool()> stop);

    /// Reads the inputs, but for those that `known` has as they are. Throws Error: no_input, io, interrupted.
    [[nodiscard]] JobKey make(const Job& job, const std::vector<FileMark>& known);

    /// Of a job whose inputs cannot be read: of its settings and the names of the files.
    [[nodiscard]] std::string key_without_files(const Job& job);

    /// The key of make(), else that without files. Throws Error(interrupted).
    [[nodiscard]] std::string any_key(const Job& job, const std::vector<FileMark>& known);

    /// Whether the record is of this job as it is now, and its output is still there. Reads a file only when its time
    /// of change differs.
    [[nodiscard]] bool is_current(const Job& job, const DoneRecord& record);

    [[nodiscard]] std::string engine_of(const Job& job) const;

private:
    [[nodiscard]] std::string settings_of(const Job& job);
    [[nodiscard]] std::vector<std::string> inputs_of(const Job& job) const;

    const OptionTable& table_;
    std::string version_;
    Weights weights_;
    std::function<bool()> stop_;
    std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::string> known_weights_;
};

}  // namespace omnisync::batch
