#include "session.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>

#include "base/text.h"
#include "log_sink.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

std::string environment(const char* name) {
    const char* text = std::getenv(name);
    return text ? text : "";
}

int terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    const auto columns = parse_integer(environment("COLUMNS"));
    return columns && *columns > 0 && *columns < 10000 ? static_cast<int>(*columns) : 80;
}

// Everything, or the reason why not.
int write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return errno;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return 0;
}

ProgressStyle choose_style(const Global& global, bool terminal) {
    if (global.quiet) return ProgressStyle::none;
    if (const auto style = parse_progress_style(global.progress)) return *style;
    return terminal && !global.json_messages() ? ProgressStyle::bar : ProgressStyle::lines;
}

}  // namespace

bool is_capable_terminal(int descriptor) {
    return ::isatty(descriptor) != 0 && environment("TERM") != "dumb";
}

double now_s() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Session::Session(const Global& global) : global_(global) {
    const bool terminal = is_capable_terminal(STDERR_FILENO);
    style_ = choose_style(global, terminal);
    // A lost message is no reason to lose the work: errors of stderr are ignored.
    console_ = std::make_unique<Console>([](std::string_view text) { write_all(STDERR_FILENO, text); },
                                         style_ == ProgressStyle::bar ? terminal_width() : 0);
    const bool colour = terminal && environment("NO_COLOR").empty() && !global.json_messages();
    install_log_sink(*console_, global, colour);
}

Session::~Session() {
    remove_log_sink();
}

void Session::say(std::string_view line) const {
    if (!global_.quiet && !global_.json) result(line);
}

void Session::result(std::string_view text) const {
    const int error = write_all(STDOUT_FILENO, std::string(text) + "\n");
    require(error == 0, ExitCode::io, "cannot write to standard output: ", std::generic_category().message(error));
}

}  // namespace omnisync::command
