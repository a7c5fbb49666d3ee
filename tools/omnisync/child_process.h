// Another run of this program (or of any) beside this one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace omnisync::command {

/// How a process ended.
struct Ended {
    int exit_code = -1;           ///< -1: a signal ended it
    int signal = 0;               ///< 0: none did
    double seconds = 0;           ///< of wall clock
    std::int64_t peak_bytes = 0;  ///< largest resident size
    [[nodiscard]] bool ok() const { return exit_code == 0; }
};

/// Started without a shell, so that no name can mean anything. It is killed when the thread that started it ends,
/// however that happens, and when the object is destroyed.
class ChildProcess {
public:
    /// `words`: the program's path first. What it writes goes to the files (made or emptied); standard input is empty.
    /// `variables`: "NAME=value", in place of this process's own of that name. Throws Error(unavailable) when it cannot
    /// be started, Error(cannot_create) for the files.
    ChildProcess(const std::vector<std::string>& words, const std::string& out, const std::string& err,
                 const std::vector<std::string>& variables = {});
    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    /// Nothing while it runs.
    [[nodiscard]] std::optional<Ended> poll();
    void send(int signal) const;
    [[nodiscard]] pid_t id() const { return id_; }

private:
    pid_t id_ = -1;  // -1: waited for
    double started_ = 0;
};

/// The path of the program that this process runs.
[[nodiscard]] std::string own_program();

}  // namespace omnisync::command
