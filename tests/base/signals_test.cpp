#include "base/signals.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "omnisync/error.h"

namespace omnisync {
namespace {

std::atomic<int> stops{0};
std::atomic<int> clean_ups{0};

void count_stop() noexcept {
    ++stops;
}
void count_clean_up() noexcept {
    ++clean_ups;
}
void exit_with_42() noexcept {
    ::_exit(42);
}
void nothing() noexcept {}

TEST(StopSignals, AskOnceAndLetTheWorkGoOn) {
    stops = 0;
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        const StopSignals signals(count_stop, count_clean_up);
        EXPECT_EQ(StopSignals::received(), 0);
        ::raise(signal);
        EXPECT_EQ(StopSignals::received(), signal);
    }
    EXPECT_EQ(stops, 3);
    EXPECT_EQ(clean_ups, 0);
}

// Runs `work` in a child and returns how it ended, as of waitpid().
int end_of_child(void (*work)()) {
    const pid_t child = ::fork();
    if (child == 0) {
        work();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

TEST(StopSignals, TheSecondOneEndsTheProcessAsInterrupted) {
    const int status = end_of_child([] {
        const StopSignals signals(nothing, nothing);
        ::raise(SIGINT);
        ::raise(SIGTERM);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(ExitCode::interrupted));
}

TEST(StopSignals, TheSecondOneCleansUpFirst) {
    const int status = end_of_child([] {
        const StopSignals signals(nothing, exit_with_42);
        ::raise(SIGINT);
        ::raise(SIGINT);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(StopSignals, AClosedPipeIsAnErrorAndNoDeath) {
    const int status = end_of_child([] {
        const StopSignals signals(nothing, nothing);
        int ends[2];
        if (::pipe(ends) != 0) ::_exit(1);
        ::close(ends[0]);
        ::_exit(::write(ends[1], "x", 1) == -1 ? 7 : 1);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(StopSignals, AnIgnoredHangupStaysIgnored) {
    const int status = end_of_child([] {
        ::signal(SIGHUP, SIG_IGN);
        const StopSignals signals(exit_with_42, nothing);
        ::raise(SIGHUP);
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignals, GiveBackWhatWasThereBefore) {
    const int status = end_of_child([] {
        { const StopSignals signals(nothing, nothing); }
        ::raise(SIGTERM);
    });
    ASSERT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

}  // namespace
}  // namespace omnisync
