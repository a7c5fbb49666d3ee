// Memory does not grow with the length of the video. benchmarks/memory.sh measures the same at full length.
#include <gtest/gtest.h>

#include <algorithm>

#include "support/dub.h"
#include "support/paths.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

void make_long_video(const fs::path& file, int seconds) {
    run_or_throw({"ffmpeg",
                  "-v",
                  "error",
                  "-nostdin",
                  "-y",
                  "-f",
                  "lavfi",
                  "-i",
                  "testsrc2=s=320x180:r=25:d=" + std::to_string(seconds),
                  "-f",
                  "lavfi",
                  "-i",
                  "sine=r=48000:d=" + std::to_string(seconds),
                  "-c:v",
                  "libx264",
                  "-preset",
                  "ultrafast",
                  "-g",
                  "50",
                  "-pix_fmt",
                  "yuv420p",
                  "-c:a",
                  "aac",
                  file.string()});
}

/// The smaller of two runs: what the program needs, without what a busy machine adds.
long peak_kib(const fs::path& video, const fs::path& speech, const fs::path& out, const std::string& mode) {
    long least = 0;
    for (int turn = 0; turn < 2; ++turn) {
        const auto result =
            dub(video, speech, out, {"--sync", mode, "--preset", "ultrafast", "--threads", "2", "--force"});
        EXPECT_TRUE(result.ok()) << result.summary();
        least = least == 0 ? result.peak_rss_kib : std::min(least, result.peak_rss_kib);
    }
    return least;
}

TEST(Memory, IsTheSameForAVideoTwelveTimesAsLong) {
    const TempDir tmp;
    make_long_video(tmp / "short.mp4", 10);
    make_long_video(tmp / "long.mp4", 120);
    write_wav(tmp / "short.wav", busy_track(16000, 10 * 16000), 16000);
    write_wav(tmp / "long.wav", busy_track(16000, 120 * 16000), 16000);
    const long small = peak_kib(tmp / "short.mp4", tmp / "short.wav", tmp / "out.mp4", "cut");
    const long large = peak_kib(tmp / "long.mp4", tmp / "long.wav", tmp / "out.mp4", "cut");
    RecordProperty("peak_kib_10_s", std::to_string(small));
    RecordProperty("peak_kib_120_s", std::to_string(large));
    EXPECT_LE(static_cast<double>(large), 1.10 * static_cast<double>(small))
        << small << " KiB became " << large << " KiB";
}

TEST(Memory, DoesNotGrowWhileAPictureRunsBackAndForth) {
    const TempDir tmp;
    make_long_video(tmp / "video.mp4", 10);
    write_wav(tmp / "twice.wav", busy_track(16000, 20 * 16000), 16000);
    write_wav(tmp / "often.wav", busy_track(16000, 90 * 16000), 16000);
    const long small = peak_kib(tmp / "video.mp4", tmp / "twice.wav", tmp / "out.mp4", "bounce");
    const long large = peak_kib(tmp / "video.mp4", tmp / "often.wav", tmp / "out.mp4", "bounce");
    EXPECT_LE(static_cast<double>(large), 1.10 * static_cast<double>(small))
        << small << " KiB became " << large << " KiB";
}

}  // namespace
}  // namespace omnisync::test
