#include "batch/plan.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <limits>
#include <system_error>
#include <unordered_set>

#include "base/sha256.h"
#include "base/text.h"
#include "batch/plan_checks.h"
#include "batch/templates.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = std::size_t{512} << 20U;
constexpr std::size_t kMostJobs = 1'000'000;

std::string read_text(const std::string& path) {
    std::error_code error;
    std::ifstream file(path, std::ios::binary);
    if (!file || !fs::is_regular_file(path, error))
        fail(ExitCode::no_input, "cannot read the job file '", path, "': ",
             !fs::exists(path, error)            ? std::generic_category().message(ENOENT)
             : !fs::is_regular_file(path, error) ? "it is not a regular file"
                                                 : std::generic_category().message(errno));
    const auto bytes = fs::file_size(path, error);
    require(!error && bytes <= kMostBytes, ExitCode::bad_data, "the job file '", path, "' is over 512 MiB");
    std::string text(bytes, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    require(static_cast<std::size_t>(file.gcount()) == text.size(), ExitCode::io, "cannot read '", path,
            "' to its end");
    return text;
}

/// An input as the line gives it and as it is opened.
struct Input {
    std::string path;
    bool by_pattern = false;
};

/// Makes jobs of lines: patterns, templates, absolute paths.
class Expander {
public:
    Expander(Plan& plan, const OptionTable& table, const PlanOptions& options, Problems& problems)
        : plan_(plan), table_(table), options_(options), problems_(problems) {}

    void add(JobLine&& line) {
        if (plan_.jobs.size() > kMostJobs) return;
        try {
            expand(line);
        } catch (const Error& error) {
            problems_.add(line.line, error.what(), error.hint(), error.code());
        }
        if (plan_.jobs.size() > kMostJobs) problems_.add(line.line, "more than a million jobs", "split the file");
    }

    /// Jobs whose input was found by a pattern though it is an output: what an earlier run made.
    void drop_own_outputs(std::vector<JobNames>& names) {
        std::unordered_set<std::string_view> outputs;
        for (const Job& job : plan_.jobs) outputs.insert(job.output);
        std::size_t kept = 0;
        for (std::size_t i = 0; i < plan_.jobs.size(); ++i) {
            if (by_pattern_[i].first && outputs.count(plan_.jobs[i].video) > 0) dropped_.insert(i);
            if (by_pattern_[i].second && outputs.count(plan_.jobs[i].speech) > 0) dropped_.insert(i);
        }
        if (dropped_.empty()) return;
        for (std::size_t i = 0; i < plan_.jobs.size(); ++i) {
            if (dropped_.count(i) > 0) continue;
            if (kept != i) {
                plan_.jobs[kept] = std::move(plan_.jobs[i]);
                names[kept] = std::move(names[i]);
            }
            ++kept;
        }
        plan_.jobs.resize(kept);
        names.resize(kept);
    }

    std::vector<JobNames>& names() { return names_; }

private:
    void expand(const JobLine& line) {
        Fields fields;
        fields.line = line.line;
        const std::vector<Input> videos = inputs(line.video);
        for (const Input& video : videos) {
            fields.video = video.by_pattern ? shortened(video.path) : video.path;
            const std::vector<Input> speeches = inputs(fill_template(line.speech, fields));
            for (const Input& speech : speeches) {
                fields.speech = speech.by_pattern ? shortened(speech.path) : speech.path;
                add_job(line, fields, {video.by_pattern, speech.by_pattern});
                fields.speech.clear();
                ++fields.index;
            }
        }
    }

    void add_job(const JobLine& line, Fields fields, std::pair<bool, bool> by_pattern) {
        Job job;
        job.line = line.line;
        job.name = line.name.empty() ? "" : fill_template(line.name, fields);
        fields.name = job.name;
        job.video = absolute(fields.video);
        job.speech = absolute(fields.speech);
        job.output = absolute(fill_template(line.output, fields));
        job.options = line.options;
        for (auto& [name, value] : job.options) value = resolved(name, value, fields);
        for (const auto& given : options_.defaults)
            if (std::none_of(line.options.begin(), line.options.end(),
                             [&](const auto& own) { return own.first == given.first; }))
                job.options.push_back(given);
        std::sort(job.options.begin(), job.options.end());
        plan_.jobs.push_back(std::move(job));
        names_.push_back({line.depends});
        by_pattern_.push_back(by_pattern);
    }

    /// An option's value with its template filled in and its path absolute.
    [[nodiscard]] std::string resolved(const std::string& name, const std::string& value, const Fields& fields) const {
        const OptionRule& rule = table_.at(name);
        if (rule.role == Role::plain) return value;
        if (rule.role == Role::speaker) {
            // A picture's file; words and numbers are people.
            const bool picture = value.find('.') != std::string::npos;
            return picture ? absolute(fill_template(value, fields)) : value;
        }
        return absolute(fill_template(value, fields));
    }

    [[nodiscard]] std::vector<Input> inputs(const std::string& given) const {
        if (!is_pattern(given)) return {{given, false}};
        std::vector<Input> found;
        for (std::string& path : matching_files(given, plan_.base)) found.push_back({std::move(path), true});
        if (found.empty())
            throw Error(ExitCode::bad_data, concat("no file matches '", given, "'"),
                        "* ? [ and \\ make a pattern; a backslash before them takes their meaning away");
        return found;
    }

    [[nodiscard]] std::string absolute(const std::string& path) const {
        return (fs::path(plan_.base) / path).lexically_normal().string();
    }

    /// From the job file's folder where it lies below it, as a person would have written it.
    [[nodiscard]] std::string shortened(const std::string& path) const {
        const std::string head = plan_.base + "/";
        return path.starts_with(head) ? path.substr(head.size()) : path;
    }

    Plan& plan_;
    const OptionTable& table_;
    const PlanOptions& options_;
    Problems& problems_;
    std::vector<JobNames> names_;
    std::vector<std::pair<bool, bool>> by_pattern_;  // video, speech
    std::unordered_set<std::size_t> dropped_;
};

void give_ids(Plan& plan) {
    Sha256 all;
    for (Job& job : plan.jobs) {
        job.id = hex(sha256(plan.label(job))).substr(0, 32);
        all.add(job.id);
    }
    plan.digest = hex(all.finish()).substr(0, 32);
}

Format format_of(const std::string& file) {
    std::string extension = fs::path(file).extension().string();
    std::transform(extension.begin(), extension.end(), extension.begin(), [](unsigned char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : static_cast<char>(letter);
    });
    return extension == ".csv" ? Format::csv : Format::json_lines;
}

}  // namespace

std::string_view Job::option(std::string_view wanted, std::string_view fallback) const {
    const auto found = std::lower_bound(options.begin(), options.end(), wanted,
                                        [](const auto& own, std::string_view other) { return own.first < other; });
    return found != options.end() && found->first == wanted ? std::string_view(found->second) : fallback;
}

std::string Plan::label(const Job& job) const {
    const std::string head = base + "/";
    if (job.output.starts_with(head)) return job.output.substr(head.size());
    return fs::path(job.output).lexically_relative(base).string();
}

Plan make_plan(const std::string& file, const OptionTable& table, const PlanOptions& options) {
    return make_plan(read_text(file), file, table, options);
}

Plan make_plan(std::string_view text, const std::string& file, const OptionTable& table, const PlanOptions& options) {
    Plan plan;
    plan.file = fs::absolute(file).lexically_normal().string();
    plan.base = fs::path(plan.file).parent_path().string();
    Problems problems(file);
    Expander expander(plan, table, options, problems);
    read_job_lines(text, format_of(file), table, problems, [&](JobLine&& line) { expander.add(std::move(line)); });
    problems.throw_if_any();
    require(!plan.jobs.empty(), ExitCode::bad_data, file, ": there is no job in it");
    expander.drop_own_outputs(expander.names());
    check_files(plan, table, options, problems);
    problems.throw_if_any();
    put_in_order(plan, expander.names(), problems);
    problems.throw_if_any();
    give_ids(plan);
    return plan;
}

}  // namespace omnisync::batch
