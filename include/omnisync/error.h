// The one exception type of the project and the exit codes it stands for.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace omnisync {

/// Exit codes of the command (sysexits.h values). Part of the contract with users' scripts: see docs/cli.md.
enum class ExitCode : int {
    done = 0,
    usage = 64,          ///< the command line is wrong
    bad_data = 65,       ///< an input is not what it claims: damaged or unsupported
    no_input = 66,       ///< an input is missing or cannot be read
    unavailable = 69,    ///< a needed thing (model, device, codec) is not here
    internal = 70,       ///< our own fault
    cannot_create = 73,  ///< the output cannot be created
    io = 74,             ///< reading or writing failed underway (disk full)
    interrupted = 75,    ///< stopped by a signal; run again
    not_allowed = 77,    ///< a policy forbids it
    bad_config = 78,     ///< a configuration file is wrong
};

/// The world's fault, with what was being done and to what. Bugs of ours are `assert`, absence is `std::optional`.
///
/// `what()` is one line that says what happened and where; `hint()`, when not empty, says what the user can do.
class Error : public std::runtime_error {
public:
    Error(ExitCode code, const std::string& what, std::string hint = {})
        : std::runtime_error(what), code_(code), hint_(std::move(hint)) {}

    [[nodiscard]] ExitCode code() const noexcept { return code_; }
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

private:
    ExitCode code_;
    std::string hint_;
};

/// Joins its arguments to one string as `operator<<` would print them.
template <class... Parts>
std::string concat(const Parts&... parts) {
    std::ostringstream text;
    (text << ... << parts);
    return text.str();
}

/// Throws an Error made of the given parts.
template <class... Parts>
[[noreturn]] void fail(ExitCode code, const Parts&... parts) {
    throw Error(code, concat(parts...));
}

/// Throws an Error made of the given parts unless `condition` holds.
template <class... Parts>
void require(bool condition, ExitCode code, const Parts&... parts) {
    if (!condition) fail(code, parts...);
}

}  // namespace omnisync
