#include "batch/attempt.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/staged_file.h"
#include "batch/files.h"
#include "batch/report_paths.h"

namespace omnisync::batch {
namespace {

namespace fs = std::filesystem;
using Kind = Outcome::Kind;

/// A hidden folder beside the output, so that what is in it can be renamed to its name.
std::string work_folder(const Job& job, const std::string& attempt) {
    constexpr std::size_t kLetters = 16;
    return fs::path(job.output).parent_path().string() + "/.omnisync-" + job.id.substr(0, kLetters) + "-" +
           attempt.substr(0, kLetters);
}

/// A further file of a job's: where it is made and where it belongs.
struct SideFile {
    std::string option, made, target;
    bool shared = false;  ///< an analysis: the first one stays
};

class Attempt {
public:
    Attempt(const Workshop& shop, const Job& job, const Slot& slot) : shop_(shop), job_(job), slot_(slot) {}

    Outcome run() {
        done_ = shop_.state.read_done(job_.id);
        before_ = shop_.state.read_tries(job_.id);
        try {
            key_ = shop_.keys.make(job_, known_marks());
        } catch (const Error& error) {
            if (error.code() == ExitCode::interrupted) return {Kind::stopped};
            unreadable_ = ChildEnd{static_cast<int>(error.code()), 0, 0, 0, error.what(), error.hint()};
            key_.key = shop_.keys.key_without_files(job_);
        }
        attempt_key_ = attempt_key(job_, key_.key);
        if (const auto known = known_outcome()) return *known;
        if (shop_.stop()) return {Kind::stopped};
        return take_hold();
    }

private:
    /// What needs no work; nothing when there is something to do.
    std::optional<Outcome> known_outcome() {
        if (is_done()) {
            tidy_up(shop_.state, job_, static_cast<int>(before_.size()));
            return Outcome{Kind::already_done};
        }
        if (before_.empty()) return std::nullopt;
        const TryRecord& last = before_.back();
        const int number = static_cast<int>(before_.size());
        if (!last.ending) {
            if (shop_.state.is_worked_at(job_.id, number, last)) return Outcome{Kind::busy};
            return after_a_loss(last);
        }
        if (last.key != attempt_key_ || last.ending->kind == Ending::Kind::reset) return std::nullopt;
        if (last.ending->final) return Outcome{Kind::failed, 0, *last.ending};
        if (last.ending->not_before_s > unix_time_s())
            return Outcome{Kind::later, last.ending->not_before_s, *last.ending};
        return std::nullopt;
    }

    /// A job that takes its runner along lets the others go first, ever longer.
    [[nodiscard]] std::optional<Outcome> after_a_loss(const TryRecord& dead) const {
        const int lost = times_lost(before_, attempt_key_);
        const double due = dead.started_s + backoff_s(lost - 1, shop_.policy);
        if (lost == 0 || dead.publishing || due <= unix_time_s()) return std::nullopt;
        Ending vanished;
        vanished.kind = Ending::Kind::lost;
        vanished.reason = "its process vanished";
        return Outcome{Kind::later, std::min(due, unix_time_s() + RetryPolicy::kLongestWait), vanished};
    }

    [[nodiscard]] bool is_done() const {
        return done_ && !unreadable_ && done_->key == key_.key && done_->output.path == job_.output &&
               still_holds(done_->output);
    }

    [[nodiscard]] std::vector<FileMark> known_marks() const {
        if (done_) return done_->inputs;
        return before_.empty() ? std::vector<FileMark>{} : before_.back().inputs;
    }

    Outcome take_hold() {
        number_ = static_cast<int>(before_.size()) + 1;
        record_.key = attempt_key_;
        record_.attempt = random_word();
        record_.owner = this_process();
        record_.inputs = key_.inputs;
        record_.started_s = unix_time_s();
        if (!shop_.state.create_try(job_.id, number_, record_)) return {Kind::busy};
        // Whoever held it until now may have finished, and put everything away, since we looked.
        done_ = shop_.state.read_done(job_.id);
        if (is_done()) {
            tidy_up(shop_.state, job_, number_);
            return {Kind::already_done};
        }
        const Heartbeats::Beat beat(shop_.heartbeats, job_.id, number_, record_.attempt);
        try {
            return work(beat);
        } catch (const Error& error) {
            return finish({static_cast<int>(error.code()), 0, 0, 0, error.what(), error.hint()}, false);
        }
    }

    Outcome work(const Heartbeats::Beat& beat) {
        if (unreadable_) return finish(*unreadable_, false);
        if (auto outcome = inherit()) return *outcome;
        if (times_lost(before_, attempt_key_) > RetryPolicy::kLost) return give_up();
        check_targets();
        folder_ = work_folder(job_, record_.attempt);
        fs::create_directories(folder_ + "/side");
        const std::string log = shop_.state.log_path(job_.id, number_);
        const ChildEnd end = shop_.run_child(
            {job_, slot_, made_output(), child_options(), log, shop_.stop, [&] { return beat.lost(); }});
        if (beat.lost()) return abandon();
        std::error_code ignored;
        if (fs::file_size(log, ignored) == 0) fs::remove(log, ignored);
        if (end.exit_code != 0) return finish(end, shop_.stop());
        return publish(end);
    }

    /// What attempts before us left when their processes died: a result that is complete, or rubbish.
    std::optional<Outcome> inherit() {
        std::optional<Outcome> done;
        for (auto dead = before_.rbegin(); dead != before_.rend(); ++dead) {
            const std::string folder = work_folder(job_, dead->attempt);
            if (!done && dead->key == attempt_key_ && published(*dead)) {
                FileMark mark = *dead->publishing;
                if (const auto now = glance(job_.output)) mark.changed_ns = now->changed_ns;
                put_side_files(folder);
                done = note_done(mark, ChildEnd{0, 0, 0, 0, {}, {}});
            }
            if (!dead->attempt.empty()) remove_folder(folder);
        }
        return done;
    }

    /// Whether what lies under the output's name is what this attempt was about to publish.
    [[nodiscard]] bool published(const TryRecord& record) const {
        return record.publishing && record.publishing->path == job_.output && still_holds(*record.publishing);
    }

    Outcome give_up() {
        Ending ending;
        ending.kind = Ending::Kind::lost;
        ending.exit_code = static_cast<int>(ExitCode::internal);
        ending.reason = concat("given up: ", times_lost(before_, attempt_key_), " times its process vanished");
        ending.hint = "omnisync batch retry tries again";
        ending.final = true;
        ending.at_s = unix_time_s();
        record_.ending = ending;
        shop_.state.rewrite_try(job_.id, number_, record_);
        return {Kind::failed, 0, ending};
    }

    [[nodiscard]] std::string made_output() const { return folder_ + "/" + fs::path(job_.output).filename().string(); }

    /// Our own earlier result may be replaced; a file that we know nothing about only when the job says so.
    [[nodiscard]] bool may_replace() const {
        return job_.option("force") == "true" ||
               (done_ && done_->output.path == job_.output && still_holds(done_->output)) ||
               std::any_of(before_.begin(), before_.end(),
                           [this](const TryRecord& record) { return published(record); });
    }

    void check_targets() {
        std::error_code error;
        fs::create_directories(fs::path(job_.output).parent_path(), error);
        require(!error, ExitCode::cannot_create, "cannot make the folder of '", job_.output, "': ", error.message());
        struct stat status {};
        if (::lstat(job_.output.c_str(), &status) == 0) {
            for (const FileMark& input : key_.inputs)
                if (same_file(job_.output, input.path))
                    throw Error(ExitCode::not_allowed,
                                concat("the output '", job_.output, "' is the input '", input.path, "'"),
                                "an input is never overwritten; choose another name");
            require(S_ISREG(status.st_mode), ExitCode::cannot_create, "the output '", job_.output,
                    "' is not a regular file");
            if (!may_replace())
                throw Error(ExitCode::cannot_create, concat("the output '", job_.output, "' exists"),
                            "'force': true replaces it");
        }
        replace_ = may_replace();
        for (const SideFile& side : side_files("")) {
            fs::create_directories(fs::path(side.target).parent_path(), error);
            if (!side.shared && !replace_ && fs::exists(side.target, error))
                throw Error(ExitCode::cannot_create, concat("the '", side.option, "' file '", side.target, "' exists"),
                            "'force': true replaces it");
        }
    }

    [[nodiscard]] std::vector<SideFile> side_files(const std::string& folder) const {
        std::vector<SideFile> files;
        for (const auto& [name, value] : job_.options) {
            const Role role = shop_.table.find(name)->second.role;
            const std::string made =
                concat(folder, "/side/", name, fs::path(value).extension().string());  // may choose the format
            if (role == Role::side || role == Role::analysis)
                files.push_back({name, made, value, role == Role::analysis});
        }
        return files;
    }

    /// The job's options, with further files made in our folder. An analysis that is there is used where it is.
    [[nodiscard]] Settings child_options() const {
        Settings options = job_.options;
        std::erase_if(options, [](const auto& option) { return option.first == "force"; });
        for (const SideFile& side : side_files(folder_)) {
            std::error_code error;
            if (side.shared && fs::exists(side.target, error)) continue;
            for (auto& [name, value] : options)
                if (name == side.option) value = side.made;
        }
        return options;
    }

    void put_side_files(const std::string& folder) {
        const std::vector<SideFile> sides = side_files(folder);
        std::map<std::string, std::string> names{
            {folder + "/" + fs::path(job_.output).filename().string(), job_.output}};
        for (const SideFile& side : sides) names.emplace(side.made, side.target);
        for (const SideFile& side : sides) {
            std::error_code error;
            if (!fs::exists(side.made, error)) continue;
            // The output is in place, and that is what counts.
            try {
                if (!side.shared) rename_in_report(side.made, names);
                if (!put_in_place(side.made, side.target, replace_ && !side.shared) && !side.shared)
                    log::warn("'", side.target, "' appeared while we worked, and stays as it is");
            } catch (const Error& problem) {
                log::warn(problem.what());
            }
        }
    }

    Outcome publish(const ChildEnd& end) {
        FileMark mark = mark_file(made_output(), nullptr, {});
        for (const FileMark& input : key_.inputs) {
            const auto now = glance(input.path);
            if (!now || now->bytes != input.bytes || now->changed_ns != input.changed_ns)
                fail(ExitCode::interrupted, "'", input.path, "' changed while we worked");
        }
        mark.path = job_.output;
        record_.publishing = mark;
        if (!shop_.state.holds(job_.id, number_, record_.attempt)) return abandon();
        shop_.state.rewrite_try(job_.id, number_, record_);
        if (!shop_.state.holds(job_.id, number_, record_.attempt)) return abandon();
        if (!put_in_place(made_output(), job_.output, replace_)) {
            // Never our own: only who holds the job gets here, and what a dead holder left was inherited.
            throw Error(ExitCode::cannot_create, concat("the output '", job_.output, "' appeared while we worked"),
                        "'force': true replaces it");
        }
        put_side_files(folder_);
        remove_folder(folder_);
        if (const auto now = glance(job_.output)) mark.changed_ns = now->changed_ns;
        return note_done(mark, end);
    }

    Outcome note_done(const FileMark& output, const ChildEnd& end) {
        DoneRecord record;
        record.key = key_.key;
        record.settings = key_.settings;
        record.attempt = record_.attempt;
        record.attempts = number_;
        record.output = output;
        record.inputs = key_.inputs;
        record.engine = shop_.keys.engine_of(job_);
        record.host = record_.owner.host;
        record.seconds = end.seconds;
        record.peak_bytes = end.peak_bytes;
        record.finished_s = unix_time_s();
        shop_.state.write_done(job_.id, record);
        tidy_up(shop_.state, job_, number_);
        return {Kind::done, 0, {}, end.seconds, end.peak_bytes};
    }

    Outcome finish(const ChildEnd& end, bool stopped) {
        if (!folder_.empty()) remove_folder(folder_);
        if (!shop_.state.holds(job_.id, number_, record_.attempt)) return {Kind::busy};
        const Ending ending = judge(end, stopped, before_, attempt_key_, shop_.policy, unix_time_s());
        record_.publishing.reset();
        record_.ending = ending;
        shop_.state.rewrite_try(job_.id, number_, record_);
        if (ending.kind == Ending::Kind::stopped) return {Kind::stopped, 0, ending};
        return {ending.final ? Kind::failed : Kind::later, ending.not_before_s, ending, end.seconds, end.peak_bytes};
    }

    /// Another process holds the job: what we made is of no use.
    Outcome abandon() {
        remove_folder(folder_);
        return {Kind::busy};
    }

    const Workshop& shop_;
    const Job& job_;
    Slot slot_;
    std::optional<DoneRecord> done_;
    std::vector<TryRecord> before_;
    JobKey key_;
    std::string attempt_key_;
    std::optional<ChildEnd> unreadable_;
    int number_ = 0;
    TryRecord record_;
    std::string folder_;
    bool replace_ = false;
};

}  // namespace

Outcome attempt_job(const Workshop& shop, const Job& job, const Slot& slot) {
    return Attempt(shop, job, slot).run();
}

void tidy_up(const StateFolder& state, const Job& job, int highest) {
    const std::vector<TryRecord> tries = state.read_tries(job.id);
    const Owner self = this_process();
    for (std::size_t i = 0; i < tries.size(); ++i)
        if (tries[i].owner != self && state.is_worked_at(job.id, static_cast<int>(i) + 1, tries[i]))
            return;  // who works there puts its own things away
    for (const TryRecord& record : tries)
        if (!record.attempt.empty()) remove_folder(work_folder(job, record.attempt));
    state.remove_tries(job.id, std::max(highest, static_cast<int>(tries.size())));
}

}  // namespace omnisync::batch
