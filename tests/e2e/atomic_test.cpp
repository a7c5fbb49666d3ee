// Killed at any moment: under the output's name stands the old file or the whole new one, never a part.
#include <gtest/gtest.h>
#include <signal.h>

#include <random>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

class Killed : public testing::TestWithParam<int> {
protected:
    static void SetUpTestSuite() {
        // Long enough to be met in every stage, short enough for sixty runs.
        shared_ = std::make_unique<TempDir>();
        run_or_throw({"ffmpeg",
                      "-v",
                      "error",
                      "-nostdin",
                      "-y",
                      "-f",
                      "lavfi",
                      "-i",
                      "testsrc2=s=320x240:r=25:d=6",
                      "-f",
                      "lavfi",
                      "-i",
                      "sine=d=6",
                      "-c:v",
                      "libx264",
                      "-preset",
                      "ultrafast",
                      "-pix_fmt",
                      "yuv420p",
                      "-c:a",
                      "aac",
                      (*shared_ / "video.mp4").string()});
        write_wav(*shared_ / "speech.wav", busy_track(16000, 6 * 16000), 16000);
        const auto whole = dub(*shared_ / "video.mp4", *shared_ / "speech.wav", *shared_ / "whole.mp4", kOptions);
        ASSERT_TRUE(whole.ok()) << whole.summary();
        length_s_ = whole.seconds;
        frames_ = decode_pictures(*shared_ / "whole.mp4").pts.size();
        ASSERT_EQ(frames_, 150U);
    }
    static void TearDownTestSuite() { shared_.reset(); }

    static inline const std::vector<std::string> kOptions{"--preset", "medium"};
    static inline std::unique_ptr<TempDir> shared_;
    static inline double length_s_ = 0;
    static inline size_t frames_ = 0;
};

TEST_P(Killed, AtTwentyMomentsLosesNothing) {
    const int signal = GetParam();
    std::mt19937 random(static_cast<unsigned>(signal));
    int stopped = 0;
    int obeyed = 0;
    for (int moment = 0; moment < 20; ++moment) {
        const TempDir tmp;
        const bool replacing = moment % 2 == 0;
        const auto out = tmp / "out.mp4";
        if (replacing) write_bytes(out, "the previous file");
        ProcessOptions options;
        options.signal = signal;
        options.signal_after = std::chrono::microseconds(
            1 + static_cast<std::int64_t>(length_s_ * 1e6 * (moment + std::uniform_real_distribution<>(0, 1)(random)) /
                                          20));
        options.limit = std::chrono::seconds(60);
        auto extra = kOptions;
        extra.emplace_back("--force");
        const auto result = dub(*shared_ / "video.mp4", *shared_ / "speech.wav", out, extra, options);

        const std::string when =
            "signal " + std::to_string(signal) + " after " + std::to_string(options.signal_after.count()) + " us";
        ASSERT_FALSE(result.timed_out) << when;
        // Before the command has set its handlers, the system's own reaction is all there can be: nothing is written
        // yet, which the look at what was left behind proves.
        const bool raw = result.signal == signal;
        if (result.exit_code != 0) {
            ++stopped;
            if (signal != SIGKILL && !raw)
                EXPECT_EQ(result.exit_code, kInterrupted) << when << ": " << result.summary();
            obeyed += result.exit_code == kInterrupted ? 1 : 0;
            if (replacing) {
                EXPECT_TRUE(read_bytes(out) == "the previous file" || decode_pictures(out).pts.size() == frames_)
                    << when;
            } else if (fs::exists(out)) {
                // Killed after the rename but before the exit: then it must be the whole file.
                EXPECT_EQ(decode_pictures(out).pts.size(), frames_) << when;
            }
        } else {
            EXPECT_EQ(decode_pictures(out).pts.size(), frames_) << when;
        }
        for (const auto& name : names_in(tmp.path())) {
            if (name == "out.mp4") continue;
            EXPECT_TRUE(signal == SIGKILL && name[0] == '.' && name.find(".part") != std::string::npos)
                << when << " left " << name;
        }
    }
    EXPECT_GT(stopped, 8) << "most signals came too late to prove anything";
    if (signal != SIGKILL) EXPECT_GT(obeyed, 5) << "the command was rarely in a position to stop by itself";
}

INSTANTIATE_TEST_SUITE_P(Signals, Killed, testing::Values(SIGTERM, SIGINT, SIGHUP, SIGKILL), [](const auto& info) {
    return info.param == SIGTERM  ? "SIGTERM"
           : info.param == SIGINT ? "SIGINT"
           : info.param == SIGHUP ? "SIGHUP"
                                  : "SIGKILL";
});

TEST(Atomic, TheOutputAppearsOnlyWhenItIsWhole) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(16000, 48000), 16000);
    const auto out = tmp / "out.mp4";
    size_t seen_early = 0;
    bool partial_seen = false;
    ProcessOptions watch;
    watch.signal = SIGCONT;  // harmless: the hook is what is wanted
    watch.signal_when = [&] {
        if (fs::exists(out)) ++seen_early;
        for (const auto& name : names_in(tmp.path()))
            partial_seen = partial_seen || name.find(".part") != std::string::npos;
        return false;
    };
    const auto result = dub(make("long_gop"), tmp / "speech.wav", out, {"--preset", "slow"}, watch);
    ASSERT_TRUE(result.ok()) << result.summary();
    EXPECT_TRUE(partial_seen) << "nothing was seen being written beside the output";
    // Between the rename and the process's end a few looks may find the whole file.
    EXPECT_LT(static_cast<double>(seen_early), 0.2 * result.seconds * 1000);
}

TEST(Atomic, TheNewFileKeepsThePermissionsOfTheUsersUmask) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(16000, 16000), 16000);
    const auto line =
        shell_line(dub_command(make("plain"), tmp / "speech.wav", tmp / "out.mp4", {"--preset", "ultrafast"}));
    ASSERT_TRUE(run({"sh", "-c", "umask 027; " + line}).ok());
    EXPECT_EQ(fs::status(tmp / "out.mp4").permissions(),
              fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
}

TEST(Atomic, TwoRunsGiveTheSameBytes) {
    const TempDir tmp;
    write_wav(tmp / "speech.wav", busy_track(16000, 32000), 16000);
    for (const char* extension : {".mp4", ".mkv"}) {
        const auto first = tmp / (std::string("first") + extension);
        const auto second = tmp / (std::string("second") + extension);
        ASSERT_TRUE(dubs(make("plain"), tmp / "speech.wav", first));
        ASSERT_TRUE(dubs(make("plain"), tmp / "speech.wav", second));
        EXPECT_EQ(read_bytes(first), read_bytes(second)) << extension;
    }
}

}  // namespace
}  // namespace omnisync::test
