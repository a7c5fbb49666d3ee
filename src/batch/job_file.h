// What stands in a job file: JSON Lines or CSV, each value checked as the command line would check it.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/value_kind.h"
#include "omnisync/error.h"

namespace omnisync::batch {

/// What the value of an option names.
enum class Role {
    plain,
    input,     ///< a file that is read
    speaker,   ///< --speaker: maybe a picture's file
    folder,    ///< of models
    output,    ///< the result
    side,      ///< a further file that is written
    analysis,  ///< read if it is there, written if not
};

/// One option of `dub`. The command makes the table from its own declarations, so that both know the same.
struct OptionRule {
    ValueKind kind = ValueKind::text;
    Role role = Role::plain;
    bool repeatable = false;                        ///< several values; as one text with ';' between
    std::string default_text;                       ///< the value when a job gives none
    std::string refusal;                            ///< why it cannot stand in a job file; empty: it can
    std::function<void(const std::string&)> check;  ///< throws Error(usage): "must be ..."
};
using OptionTable = std::map<std::string, OptionRule, std::less<>>;

using Settings = std::vector<std::pair<std::string, std::string>>;  ///< option's name without dashes, value

/// One line as it stands there, before globs and templates.
struct JobLine {
    int line = 0;
    std::string video, speech, output;  ///< none is empty
    std::string name;                   ///< may be empty
    std::vector<std::string> depends;
    Settings options;  ///< in the order given
};

/// What is wrong in a job file: all of it, with lines.
class Problems {
public:
    explicit Problems(std::string file) : file_(std::move(file)) {}
    void add(int line, const std::string& what, const std::string& hint = {}, ExitCode code = ExitCode::bad_data);
    [[nodiscard]] bool any() const { return count_ > 0; }
    [[nodiscard]] std::size_t count() const { return count_; }
    /// Throws the first as an Error "FILE:LINE: what"; up to kShown further ones go to the log before.
    void throw_if_any() const;

private:
    static constexpr std::size_t kShown = 20;
    struct Problem {
        std::string what, hint;
        ExitCode code;
    };
    std::string file_;
    std::vector<Problem> shown_;
    std::size_t count_ = 0;
};

enum class Format { json_lines, csv };

/// Calls `take` for each line that is right; notes in `problems` what is wrong with the others.
void read_job_lines(std::string_view text, Format format, const OptionTable& table, Problems& problems,
                    const std::function<void(JobLine&&)>& take);

}  // namespace omnisync::batch
