#include "child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "omnisync/error.h"
#include "session.h"

namespace omnisync::command {
namespace {

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() { close(); }
    void close() {
        if (number_ >= 0) ::close(number_);
        number_ = -1;
    }
    [[nodiscard]] int get() const { return number_; }

private:
    int number_;
};

int open_for_writing(const std::string& path) {
    const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    require(number >= 0, ExitCode::cannot_create, "cannot write '", path,
            "': ", std::generic_category().message(errno));
    return number;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> result;
    for (std::string& word : words) result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> environment_with(const std::vector<std::string>& variables) {
    std::vector<std::string> all = variables;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view own = *entry;
        const std::string_view name = own.substr(0, own.find('=') + 1);
        if (std::none_of(variables.begin(), variables.end(),
                         [&](const std::string& given) { return given.starts_with(name); }))
            all.emplace_back(own);
    }
    return all;
}

/// Between fork and exec: nothing here allocates. Ends the process.
[[noreturn]] void become(char* const* words, char* const* environment, const std::array<int, 3>& streams, pid_t parent,
                         int failure) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // it ended before it could be watched
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    // A group of its own: Ctrl-C at a terminal is the parent's to act on.
    ::setpgid(0, 0);
    for (int i = 0; i < 3; ++i)
        if (::dup2(streams[static_cast<std::size_t>(i)], i) < 0) ::_exit(127);
    ::execve(words[0], words, environment);
    const int error = errno;
    [[maybe_unused]] const ssize_t written = ::write(failure, &error, sizeof error);
    ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& words, const std::string& out, const std::string& err,
                           const std::vector<std::string>& variables)
    : started_(now_s()) {
    std::vector<std::string> arguments = words;
    std::vector<std::string> environment = environment_with(variables);
    const auto argument_pointers = pointers(arguments);
    const auto environment_pointers = pointers(environment);
    const Descriptor in(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Descriptor out_file(open_for_writing(out));
    const Descriptor err_file(open_for_writing(err));
    std::array<int, 2> ends{};
    require(::pipe2(ends.data(), O_CLOEXEC) == 0, ExitCode::unavailable,
            "cannot start a process: ", std::generic_category().message(errno));
    const Descriptor failure(ends[0]);
    Descriptor told(ends[1]);
    const pid_t parent = ::getpid();
    id_ = ::fork();
    require(id_ >= 0, ExitCode::unavailable, "cannot start a process: ", std::generic_category().message(errno));
    if (id_ == 0)
        become(argument_pointers.data(), environment_pointers.data(), {in.get(), out_file.get(), err_file.get()},
               parent, told.get());
    told.close();
    int error = 0;
    ssize_t got = 0;
    do got = ::read(failure.get(), &error, sizeof error);
    while (got < 0 && errno == EINTR);
    if (got != sizeof error) return;
    ::waitpid(id_, nullptr, 0);
    id_ = -1;
    fail(ExitCode::unavailable, "cannot start '", words.front(), "': ", std::generic_category().message(error));
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept : id_(other.id_), started_(other.started_) {
    other.id_ = -1;
}

ChildProcess::~ChildProcess() {
    if (id_ < 0) return;
    ::kill(id_, SIGKILL);
    while (::waitpid(id_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

std::optional<Ended> ChildProcess::poll() {
    int status = 0;
    rusage usage{};
    if (id_ < 0 || ::wait4(id_, &status, WNOHANG, &usage) != id_) return std::nullopt;
    id_ = -1;
    Ended ended;
    ended.seconds = now_s() - started_;
    ended.peak_bytes = static_cast<std::int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
    if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
    return ended;
}

void ChildProcess::send(int signal) const {
    if (id_ >= 0) ::kill(id_, signal);
}

std::string own_program() {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    require(!error, ExitCode::unavailable, "cannot find the path of this program: ", error.message());
    return path.string();
}

}  // namespace omnisync::command
