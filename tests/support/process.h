// Runs a program and tells everything a test wants to know about how it went.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace omnisync::test {

struct ProcessResult {
    int exit_code = -1;      ///< -1 when a signal ended it
    int signal = 0;          ///< the signal that ended it, or 0
    bool timed_out = false;  ///< it was killed because it ran past its limit
    long peak_rss_kib = 0;   ///< largest resident set of the process and its waited-for children
    double seconds = 0;
    std::string out;
    std::string err;

    [[nodiscard]] bool ok() const { return exit_code == 0; }
    /// The command's end in words, with the tail of its stderr: for failure messages.
    [[nodiscard]] std::string summary() const;
};

struct ProcessOptions {
    std::chrono::milliseconds limit{120'000};   ///< past it the whole process group is killed
    std::string folder;                         ///< working directory; empty: this process's own
    std::vector<std::string> environment;       ///< "NAME=value", added to this process's own
    std::chrono::microseconds signal_after{0};  ///< > 0: send `signal` after that much time
    int signal = 0;
    std::function<bool()> signal_when;  ///< asked every millisecond; true sends `signal` at once
};

/// Runs `arguments` (the first is the program, found on PATH) with an empty stdin and waits for its end.
/// Throws std::runtime_error when it cannot be started.
ProcessResult run(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// As run(), and throws std::runtime_error with the stderr's tail unless it exits with 0: for tools we rely on.
ProcessResult run_or_throw(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

/// The arguments as one line that a shell understands, so that a failure can be repeated by hand.
std::string shell_line(const std::vector<std::string>& arguments);

/// How many lines `text` has, ignoring a newline at the end.
int line_count(const std::string& text);

}  // namespace omnisync::test
