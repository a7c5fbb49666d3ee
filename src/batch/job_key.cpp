#include "batch/job_key.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"
#include "batch/files.h"

namespace omnisync::batch {
namespace {

/// Adds words so that no two lists of words make the same message.
void add_word(Sha256& sum, std::string_view word) {
    sum.add(concat(word.size(), ":"));
    sum.add(word);
}

std::string key_of(const std::string& settings, const std::vector<FileMark>& inputs) {
    Sha256 sum;
    add_word(sum, settings);
    for (const FileMark& mark : inputs) add_word(sum, mark.sha256);
    return hex(sum.finish());
}

}  // namespace

std::string attempt_key(const Job& job, const std::string& key) {
    return job.option("force") == "true" ? key + "+force" : key;
}

KeyMaker::KeyMaker(const OptionTable& table, std::string version, Weights weights, std::function<bool()> stop)
    : table_(table), version_(std::move(version)), weights_(std::move(weights)), stop_(std::move(stop)) {}

std::string KeyMaker::engine_of(const Job& job) const {
    const auto rule = table_.find("engine");
    return std::string(job.option("engine", rule == table_.end() ? "" : rule->second.default_text));
}

std::string KeyMaker::settings_of(const Job& job) {
    const std::pair<std::string, std::string> wanted{engine_of(job), std::string(job.option("models"))};
    Sha256 sum;
    add_word(sum, version_);
    {
        const std::lock_guard lock(mutex_);
        auto found = known_weights_.find(wanted);
        if (found == known_weights_.end())
            found = known_weights_.emplace(wanted, weights_(wanted.first, wanted.second)).first;
        add_word(sum, found->second);
    }
    for (const auto& [name, value] : job.options) {
        const Role role = table_.find(name)->second.role;
        if (name == "force" || name == "cache-results" || role == Role::analysis || role == Role::folder)
            continue;  // they change no result
        add_word(sum, name);
        const bool file = role == Role::input || (role == Role::speaker && value.starts_with('/'));
        add_word(sum, file ? std::string_view("file") : std::string_view(value));
    }
    return hex(sum.finish());
}

std::vector<std::string> KeyMaker::inputs_of(const Job& job) const {
    std::vector<std::string> files{job.video, job.speech};
    for (const auto& [name, value] : job.options) {
        const Role role = table_.find(name)->second.role;
        if (role == Role::input || (role == Role::speaker && value.starts_with('/'))) files.push_back(value);
    }
    return files;
}

JobKey KeyMaker::make(const Job& job, const std::vector<FileMark>& known) {
    JobKey result;
    result.settings = settings_of(job);
    const std::vector<std::string> files = inputs_of(job);
    for (std::size_t i = 0; i < files.size(); ++i) {
        result.inputs.push_back(mark_file(files[i], i < known.size() ? &known[i] : nullptr, stop_));
    }
    result.key = key_of(result.settings, result.inputs);
    return result;
}

std::string KeyMaker::key_without_files(const Job& job) {
    Sha256 sum;
    add_word(sum, "no file");
    add_word(sum, settings_of(job));
    for (const std::string& file : inputs_of(job)) add_word(sum, file);
    return hex(sum.finish());
}

std::string KeyMaker::any_key(const Job& job, const std::vector<FileMark>& known) {
    try {
        return make(job, known).key;
    } catch (const Error& error) {
        if (error.code() == ExitCode::interrupted) throw;
        return key_without_files(job);
    }
}

bool KeyMaker::is_current(const Job& job, const DoneRecord& record) {
    return record.settings == settings_of(job) && record.output.path == job.output &&
           any_key(job, record.inputs) == record.key && still_holds(record.output);
}

}  // namespace omnisync::batch
