#include "base/signals.h"

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>

#include "omnisync/error.h"

namespace omnisync {
namespace {

constexpr std::array<int, 3> kStopping{SIGINT, SIGTERM, SIGHUP};
constexpr std::array<int, 2> kIgnored{SIGPIPE, SIGXFSZ};

// Signal handlers reach nothing but globals; these are written by StopSignals and the handler only.
std::atomic<StopSignals::Action> on_first{nullptr};
std::atomic<StopSignals::Action> on_second{nullptr};
std::atomic<int> first_signal{0};
static_assert(std::atomic<StopSignals::Action>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

extern "C" void omnisync_handle_stop(int signal) {
    const int saved_errno = errno;
    int none = 0;
    if (first_signal.compare_exchange_strong(none, signal)) {
        if (const auto action = on_first.load()) action();
        errno = saved_errno;
        return;
    }
    if (const auto action = on_second.load()) action();
    ::_exit(static_cast<int>(ExitCode::interrupted));
}

}  // namespace

struct StopSignals::Previous {
    std::array<struct sigaction, kStopping.size()> stopping;
    std::array<struct sigaction, kIgnored.size()> ignored;
};

StopSignals::StopSignals(Action request_stop, Action clean_up) : previous_(std::make_unique<Previous>()) {
    on_first = request_stop;
    on_second = clean_up;
    first_signal = 0;
    struct sigaction stop {};
    stop.sa_handler = omnisync_handle_stop;
    stop.sa_flags = 0;  // no SA_RESTART: a read that waits for a pipe returns, and the work can stop
    sigemptyset(&stop.sa_mask);
    for (std::size_t i = 0; i < kStopping.size(); ++i) {
        ::sigaction(kStopping[i], nullptr, &previous_->stopping[i]);
        if (previous_->stopping[i].sa_handler != SIG_IGN) ::sigaction(kStopping[i], &stop, nullptr);
    }
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigemptyset(&ignore.sa_mask);
    for (std::size_t i = 0; i < kIgnored.size(); ++i) ::sigaction(kIgnored[i], &ignore, &previous_->ignored[i]);
}

StopSignals::~StopSignals() {
    for (std::size_t i = 0; i < kStopping.size(); ++i) ::sigaction(kStopping[i], &previous_->stopping[i], nullptr);
    for (std::size_t i = 0; i < kIgnored.size(); ++i) ::sigaction(kIgnored[i], &previous_->ignored[i], nullptr);
    on_first = nullptr;
    on_second = nullptr;
}

int StopSignals::received() noexcept {
    return first_signal.load();
}

}  // namespace omnisync
