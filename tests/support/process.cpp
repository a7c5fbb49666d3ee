#include "support/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

extern char** environ;

namespace omnisync::test {
namespace {

using Clock = std::chrono::steady_clock;

struct Pipe {
    int read_end = -1;
    int write_end = -1;
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2 failed");
        read_end = ends[0];
        write_end = ends[1];
    }
    ~Pipe() {
        if (read_end >= 0) close(read_end);
        if (write_end >= 0) close(write_end);
    }
    void close_write_end() {
        close(write_end);
        write_end = -1;
    }
};

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (auto& text : strings) result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

pid_t start(std::vector<std::string> arguments, const ProcessOptions& options, const Pipe& out, const Pipe& err) {
    std::vector<std::string> environment = options.environment;  // the first of a name counts
    // No test is to see what another one, or another build, has left in the user's cache.
    environment.emplace_back("OMNISYNC_NO_CACHE=1");
    for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, out.write_end, 1);
    posix_spawn_file_actions_adddup2(&actions, err.write_end, 2);
    if (!options.folder.empty()) posix_spawn_file_actions_addchdir_np(&actions, options.folder.c_str());
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    // A process group of its own, so that a limit also ends what the program started.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setpgroup(&attributes, 0);
    // Tests started by nohup or in a shell's background ignore signals, and a program keeps what it inherits.
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int number : {SIGINT, SIGHUP, SIGTERM, SIGPIPE, SIGXFSZ}) sigaddset(&defaults, number);
    posix_spawnattr_setsigdefault(&attributes, &defaults);

    pid_t child = 0;
    const int code = posix_spawnp(&child, arguments[0].c_str(), &actions, &attributes, pointers(arguments).data(),
                                  pointers(environment).data());
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    if (code != 0) throw std::runtime_error("cannot start " + arguments[0] + ": " + strerror(code));
    return child;
}

/// Appends what is there; false once the other side is closed.
bool drain(int descriptor, std::string& into) {
    char buffer[65536];
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got > 0) into.append(buffer, static_cast<size_t>(got));
    return got > 0;
}

}  // namespace

ProcessResult run(const std::vector<std::string>& arguments, const ProcessOptions& options) {
    Pipe out;
    Pipe err;
    const auto begin = Clock::now();
    const pid_t child = start(arguments, options, out, err);
    out.close_write_end();
    err.close_write_end();

    ProcessResult result;
    bool signalled = options.signal == 0;
    bool out_open = true;
    bool err_open = true;
    int status = 0;
    rusage usage{};
    bool ended = false;
    while (!ended || out_open || err_open) {
        const bool over = ended;  // before the pipes are looked at: what was written last is in them then
        pollfd waiting[2] = {{out_open ? out.read_end : -1, POLLIN, 0}, {err_open ? err.read_end : -1, POLLIN, 0}};
        poll(waiting, 2, signalled ? 20 : 1);
        if (waiting[0].revents != 0) out_open = drain(out.read_end, result.out);
        if (waiting[1].revents != 0) err_open = drain(err.read_end, result.err);
        if (!ended) ended = wait4(child, &status, WNOHANG, &usage) == child;

        const auto elapsed = Clock::now() - begin;
        if (!signalled && !ended) {
            const bool due = options.signal_when ? options.signal_when() : elapsed >= options.signal_after;
            if (due) {
                kill(child, options.signal);
                signalled = true;
            }
        }
        if (elapsed > options.limit) {
            kill(-child, SIGKILL);
            result.timed_out = true;
            if (!ended) wait4(child, &status, 0, &usage);
            break;
        }
        // A grandchild may hold the pipes open for ever; the program's own end is what counts.
        if (over && waiting[0].revents == 0 && waiting[1].revents == 0) break;
    }
    result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    result.peak_rss_kib = usage.ru_maxrss;
    if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
    return result;
}

ProcessResult run_or_throw(const std::vector<std::string>& arguments, const ProcessOptions& options) {
    auto result = run(arguments, options);
    if (!result.ok()) throw std::runtime_error(shell_line(arguments) + "\n" + result.summary());
    return result;
}

std::string ProcessResult::summary() const {
    constexpr size_t kTail = 1500;
    std::string text = timed_out     ? "killed: ran past its limit"
                       : signal != 0 ? "ended by signal " + std::to_string(signal)
                                     : "exit code " + std::to_string(exit_code);
    text += ", stderr:\n";
    return text + (err.size() > kTail ? "..." + err.substr(err.size() - kTail) : err);
}

std::string shell_line(const std::vector<std::string>& arguments) {
    std::string line;
    for (const auto& argument : arguments) {
        const bool plain = !argument.empty() && std::all_of(argument.begin(), argument.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || strchr("-_./:=+,%@", c) != nullptr;
        });
        if (!line.empty()) line += ' ';
        if (plain) {
            line += argument;
            continue;
        }
        line += '\'';
        for (const char c : argument) line += c == '\'' ? std::string("'\\''") : std::string(1, c);
        line += '\'';
    }
    return line;
}

int line_count(const std::string& text) {
    if (text.empty()) return 0;
    return static_cast<int>(std::count(text.begin(), text.end(), '\n')) + (text.back() == '\n' ? 0 : 1);
}

}  // namespace omnisync::test
