// The state of a batch: a folder of small files that any number of processes on any number of machines share.
//
//   XX/ID.try.N   attempt N at the job ID (XX: its first two digits): a TryRecord. Who creates N holds the job, until
//   it
//                 writes how the attempt ended, or dies and somebody creates N + 1
//   XX/ID.done    its DoneRecord
//   XX/ID.N.log   what attempt N wrote to stderr; kept when it failed or said something
//   tmp/          files on their way to a name
//
// Only creation of a name that must not exist (link), replacement (rename) and removal are used; no locks, no order of
// writes to different files but that of one process.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "batch/records.h"

namespace omnisync::batch {

/// Seconds since 1970.
[[nodiscard]] double unix_time_s();

class StateFolder {
public:
    /// Makes the folder unless it is there. `lease_s`: a process that cannot be seen from here is dead when the last
    /// sign of life is older. Throws Error(cannot_create).
    StateFolder(std::string folder, double lease_s);
    /// To look only: nothing is made.
    static StateFolder existing(std::string folder, double lease_s);

    [[nodiscard]] const std::string& path() const { return folder_; }
    [[nodiscard]] double lease_s() const { return lease_s_; }
    [[nodiscard]] std::string log_path(const std::string& id, int number) const;

    [[nodiscard]] std::optional<DoneRecord> read_done(const std::string& id) const;
    void write_done(const std::string& id, const DoneRecord& record) const;

    /// All attempts, in order. One whose record cannot be read is of a process that cannot be seen.
    [[nodiscard]] std::vector<TryRecord> read_tries(const std::string& id) const;
    /// False when somebody else has it.
    [[nodiscard]] bool create_try(const std::string& id, int number, const TryRecord& record) const;
    void rewrite_try(const std::string& id, int number, const TryRecord& record) const;
    /// A sign of life.
    void touch_try(const std::string& id, int number) const;
    /// Whether the attempt is still the latest one and of this word.
    [[nodiscard]] bool holds(const std::string& id, int number, const std::string& attempt) const;
    /// The latest first, so that none is ever missing between others.
    void remove_tries(const std::string& id, int highest) const;

    /// Whether whoever made this attempt works at it. An attempt that ended is not.
    [[nodiscard]] bool is_worked_at(const std::string& id, int number, const TryRecord& record) const;

    /// Removes files in tmp/ whose writers are gone.
    void sweep() const;
    /// Calls `see` with (id, number) of every attempt there is.
    void for_each_try(const std::function<void(const std::string&, int)>& see) const;

private:
    struct LookOnly {};
    StateFolder(std::string folder, double lease_s, LookOnly) : folder_(std::move(folder)), lease_s_(lease_s) {}

    [[nodiscard]] std::string file(const std::string& id, std::string_view suffix) const;
    [[nodiscard]] std::string try_path(const std::string& id, int number) const;
    /// A new file in tmp/ with this text.
    [[nodiscard]] std::string stage(std::string_view text, bool durable) const;
    void put(const std::string& path, std::string_view text, bool durable) const;
    /// Seconds since the file changed, by the clock that its times come from; nothing when it is not there.
    [[nodiscard]] std::optional<double> age_s(const std::string& path) const;

    std::string folder_;
    double lease_s_;
    Owner self_ = this_process();
};

}  // namespace omnisync::batch
