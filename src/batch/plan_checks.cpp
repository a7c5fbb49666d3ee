#include "batch/plan_checks.h"

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <unordered_map>

#include "base/text.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;

/// Files by what they are, whatever links lead to them; folders are looked at once.
class RealPaths {
public:
    std::string operator()(const std::string& path) {
        constexpr int kMostLinks = 40;
        fs::path whole(path);
        std::error_code error;
        for (int i = 0; i < kMostLinks && fs::is_symlink(fs::symlink_status(whole, error)); ++i)
            whole = (whole.parent_path() / fs::read_symlink(whole, error)).lexically_normal();
        return folder(whole.parent_path().string()) + "/" + whole.filename().string();
    }
    const std::string& folder(const std::string& path) {
        const auto known = folders_.find(path);
        if (known != folders_.end()) return known->second;
        std::error_code error;
        std::string real = fs::weakly_canonical(path, error).string();
        if (error) real = path;
        return folders_.emplace(path, std::move(real)).first->second;
    }

private:
    std::unordered_map<std::string, std::string> folders_;
};

bool is_below(const std::string& path, const std::string& folder) {
    return folder == "/" || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

/// Where a file of a job's is said.
struct Place {
    std::uint32_t job = 0;
    const char* option = "";
};

class FileChecks {
public:
    FileChecks(const Plan& plan, const OptionTable& table, const PlanOptions& options, Problems& problems)
        : plan_(plan), table_(table), options_(options), problems_(problems) {
        const std::string root = options.output_root.empty() ? plan.base : fs::absolute(options.output_root).string();
        root_ = real_.folder(fs::path(root).lexically_normal().string());
    }

    void run() {
        for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i) {
            add_output(i, "output", plan_.jobs[i].output);
            for (const auto& [name, value] : plan_.jobs[i].options) {
                const auto rule = table_.find(name);
                if (rule->second.role == Role::side) add_output(i, rule->first.c_str(), value);
                if (rule->second.role == Role::analysis) add_analysis(i, value);
            }
        }
        for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i) check_inputs(i);
        for (const auto& [real, place] : analyses_) check_analysis(real, place);
    }

private:
    void add_output(std::uint32_t i, const char* option, const std::string& path) {
        const std::string real = checked(i, option, path);
        if (real.empty()) return;
        const auto [other, fresh] = written_.emplace(real, Place{i, option});
        if (fresh) return;
        const Job& first = plan_.jobs[other->second.job];
        problems_.add(plan_.jobs[i].line,
                      concat("'", option, "' is '", path, "', which line ", first.line, " writes as its '",
                             other->second.option, "'"),
                      "each output needs a name of its own; templates help: {video.stem}, {speech.stem}, {index}");
    }

    void add_analysis(std::uint32_t i, const std::string& path) {
        const std::string real = checked(i, "analysis", path);
        if (real.empty()) return;
        const auto [other, fresh] = analyses_.emplace(real, i);
        if (!fresh && plan_.jobs[other->second].video != plan_.jobs[i].video)
            problems_.add(plan_.jobs[i].line, concat("'analysis' is '", path, "', which line ",
                                                     plan_.jobs[other->second].line, " uses for another video"));
    }

    /// What the path leads to; empty when it may not be written, which is noted.
    std::string checked(std::uint32_t i, const char* option, const std::string& path) {
        const int line = plan_.jobs[i].line;
        if (path.ends_with('/') || path.ends_with("/.")) {
            problems_.add(line, concat("'", option, "' is '", path, "', which is no file's name"));
            return {};
        }
        std::string real = real_(path);
        if (options_.allow_outside || is_below(real, root_)) return real;
        problems_.add(line, concat("'", option, "' is '", path, "', which lies outside '", root_, "'"),
                      "--output-root names another folder, --allow-outside allows any", ExitCode::not_allowed);
        return {};
    }

    void check_inputs(std::uint32_t i) {
        const Job& job = plan_.jobs[i];
        check_input(i, "video", job.video);
        check_input(i, "speech", job.speech);
        for (const auto& [name, value] : job.options) {
            const auto rule = table_.find(name);
            if (rule->second.role == Role::input || (rule->second.role == Role::speaker && value.starts_with('/')))
                check_input(i, rule->first.c_str(), value);
        }
    }

    void check_input(std::uint32_t i, const char* option, const std::string& path) {
        const auto found = written_.find(real_(path));
        if (found == written_.end()) return;
        const Job& writer = plan_.jobs[found->second.job];
        if (found->second.job == i)
            problems_.add(plan_.jobs[i].line,
                          concat("'", found->second.option, "' is '", path, "', which is its own '", option, "'"),
                          "an input is never overwritten", ExitCode::not_allowed);
        else if (std::string_view(found->second.option) != "output")
            problems_.add(plan_.jobs[i].line, concat("'", option, "' is '", path, "', which line ", writer.line,
                                                     " writes as its '", found->second.option, "'"));
    }

    void check_analysis(const std::string& real, std::uint32_t i) {
        const auto found = written_.find(real);
        if (found != written_.end())
            problems_.add(plan_.jobs[i].line,
                          concat("'analysis' is '", real, "', which line ", plan_.jobs[found->second.job].line,
                                 " writes as its '", found->second.option, "'"));
    }

    const Plan& plan_;
    const OptionTable& table_;
    const PlanOptions& options_;
    Problems& problems_;
    RealPaths real_;
    std::string root_;
    std::unordered_map<std::string, Place> written_;
    std::unordered_map<std::string, std::uint32_t> analyses_;
};

class Order {
public:
    Order(Plan& plan, const std::vector<JobNames>& names, Problems& problems)
        : plan_(plan), names_(names), problems_(problems) {}

    void run() {
        collect_names();
        for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i) resolve(i);
        if (problems_.any()) return;
        depth_.assign(plan_.jobs.size(), kUnknown);
        for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i)
            if (!measure(i)) return;
        sort();
    }

private:
    static constexpr int kUnknown = -1;
    static constexpr int kBegun = -2;

    void collect_names() {
        for (std::uint32_t i = 0; i < plan_.jobs.size(); ++i) {
            const Job& job = plan_.jobs[i];
            outputs_.emplace(job.output, i);
            if (job.name.empty()) continue;
            auto& all = by_name_[job.name];
            if (!all.empty() && plan_.jobs[all.front()].line != job.line)
                problems_.add(job.line,
                              concat("the name '", job.name, "' is taken by line ", plan_.jobs[all.front()].line));
            all.push_back(i);
        }
    }

    void resolve(std::uint32_t i) {
        Job& job = plan_.jobs[i];
        for (const std::string& name : names_[i].depends) {
            const auto found = by_name_.find(name);
            if (found == by_name_.end())
                problems_.add(job.line, concat("'depends' names '", name, "', and no job has that name"),
                              did_you_mean(name, some_names()));
            else
                job.depends.insert(job.depends.end(), found->second.begin(), found->second.end());
        }
        const auto wait_for = [&](const std::string& path) {
            const auto found = outputs_.find(path);
            if (found != outputs_.end() && found->second != i) job.depends.push_back(found->second);
        };
        wait_for(job.video);
        wait_for(job.speech);
        for (const auto& [name, value] : job.options)
            if (value.starts_with('/')) wait_for(value);
        std::sort(job.depends.begin(), job.depends.end());
        job.depends.erase(std::unique(job.depends.begin(), job.depends.end()), job.depends.end());
    }

    /// Depth first, without recursion: chains may be as long as the file. False: a circle, which is noted.
    bool measure(std::uint32_t first) {
        std::vector<std::pair<std::uint32_t, std::size_t>> path;
        if (depth_[first] == kUnknown) path.emplace_back(first, 0);
        while (!path.empty()) {
            auto& [job, next] = path.back();
            depth_[job] = kBegun;
            const auto& depends = plan_.jobs[job].depends;
            if (next == depends.size()) {
                int deepest = -1;
                for (const std::uint32_t other : depends) deepest = std::max(deepest, depth_[other]);
                depth_[job] = deepest + 1;
                path.pop_back();
                continue;
            }
            const std::uint32_t other = depends[next++];
            if (depth_[other] == kBegun) return note_circle(path, other);
            if (depth_[other] == kUnknown) path.emplace_back(other, 0);
        }
        return true;
    }

    bool note_circle(const std::vector<std::pair<std::uint32_t, std::size_t>>& path, std::uint32_t closing) {
        constexpr std::size_t kShown = 8;
        const auto begin = std::find_if(path.begin(), path.end(), [&](const auto& at) { return at.first == closing; });
        std::string circle;
        std::size_t shown = 0;
        for (auto at = begin; at != path.end() && shown < kShown; ++at, ++shown)
            circle += "line " + std::to_string(plan_.jobs[at->first].line) + " -> ";
        if (static_cast<std::size_t>(path.end() - begin) > kShown) circle += "... -> ";
        problems_.add(plan_.jobs[closing].line,
                      concat("the jobs wait for each other in a circle: ", circle, "line ", plan_.jobs[closing].line));
        return false;
    }

    void sort() {
        std::vector<std::uint32_t> order(plan_.jobs.size());
        std::iota(order.begin(), order.end(), 0U);
        std::stable_sort(order.begin(), order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return depth_[a] < depth_[b]; });
        std::vector<std::uint32_t> place(order.size());
        for (std::uint32_t i = 0; i < order.size(); ++i) place[order[i]] = i;
        std::vector<Job> sorted;
        sorted.reserve(order.size());
        for (const std::uint32_t old : order) {
            Job& job = plan_.jobs[old];
            job.depth = depth_[old];
            for (std::uint32_t& other : job.depends) other = place[other];
            std::sort(job.depends.begin(), job.depends.end());
            sorted.push_back(std::move(job));
        }
        plan_.jobs = std::move(sorted);
    }

    /// For a suggestion; all of a hundred thousand would take too long to compare with.
    [[nodiscard]] std::vector<std::string> some_names() const {
        constexpr std::size_t kMost = 1000;
        std::vector<std::string> names;
        for (const auto& [name, jobs] : by_name_) {
            if (names.size() == kMost) break;
            names.push_back(name);
        }
        return names;
    }

    Plan& plan_;
    const std::vector<JobNames>& names_;
    Problems& problems_;
    std::unordered_map<std::string, std::vector<std::uint32_t>> by_name_;
    std::unordered_map<std::string, std::uint32_t> outputs_;
    std::vector<int> depth_;
};

}  // namespace

void check_files(const Plan& plan, const OptionTable& table, const PlanOptions& options, Problems& problems) {
    FileChecks(plan, table, options, problems).run();
}

void put_in_order(Plan& plan, const std::vector<JobNames>& names, Problems& problems) {
    Order(plan, names, problems).run();
}

}  // namespace omnisync::batch
