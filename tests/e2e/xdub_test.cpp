// The X-Dub engine as a user runs it, on tiny models with random weights in the released layout: what it draws is
// noise, and everything round it has to be right.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

constexpr int kSide = 160;  // the example's picture
constexpr std::size_t kFrameBytes = kSide * kSide * 3 / 2;

constexpr std::size_t kBrowsAndEyes = kSide * (kSide * 2 / 5);  // of the luma plane

class Xdub : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = new TempDir;
        run_or_throw({(command_path().parent_path() / "tiny_xdub").string(), models()});
    }
    static void TearDownTestSuite() { delete folder_; }

    static std::string models(const std::string& name = "xdub") { return (*folder_ / name).string(); }
    static std::string output(const std::string& name) { return (*folder_ / name).string(); }
    static Words command(const std::string& name, const Words& extra = {}, const std::string& from = "xdub") {
        Words words{command_path(),
                    "dub",
                    example("speaker.mp4"),
                    example("speech.wav"),
                    "-o",
                    output(name),
                    "--engine",
                    "xdub",
                    "--models",
                    models(from),
                    "--device",
                    "cpu",
                    "--steps",
                    "2",
                    "--force",
                    "--threads",
                    "1",
                    "--video-codec",
                    "lossless"};
        words.insert(words.end(), extra.begin(), extra.end());
        return words;
    }
    static ProcessResult dub(const std::string& name, const Words& extra = {}, const std::string& from = "xdub") {
        ProcessOptions options;
        options.limit = std::chrono::minutes(4);
        return run(command(name, extra, from), options);
    }
    static bool leftovers() {
        const auto names = names_in(folder_->path());
        return std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.front() == '.'; });
    }

    static inline TempDir* folder_ = nullptr;
};

TEST_F(Xdub, RedrawsTheLowerFaceOfEveryFrameAndNothingElse) {
    const auto done = dub("out.mkv", {"--report", output("out.json")});
    ASSERT_TRUE(done.ok()) << done.summary();
    const std::string before = pictures_of(example("speaker.mp4"));
    const std::string after = pictures_of(output("out.mkv"));
    ASSERT_EQ(after.size(), before.size()) << "no frame is lost";
    for (std::size_t frame = 0; frame < before.size() / kFrameBytes; ++frame) {
        const std::size_t start = frame * kFrameBytes;
        EXPECT_EQ(before.compare(start, kBrowsAndEyes, after, start, kBrowsAndEyes), 0) << frame;
        EXPECT_NE(before.compare(start, kFrameBytes, after, start, kFrameBytes), 0) << frame;
    }
    const std::string report = read_bytes(output("out.json"));
    EXPECT_NE(report.find("X-Dub_model.safetensors"), std::string::npos);
    EXPECT_FALSE(leftovers()) << "what was kept to resume from is removed";
}

TEST_F(Xdub, SameSeedSameBytesAndAnotherSeedOthers) {
    ASSERT_TRUE(dub("a.mkv", {"--preview", "0.8"}).ok());
    ASSERT_TRUE(dub("b.mkv", {"--preview", "0.8"}).ok());
    ASSERT_TRUE(dub("c.mkv", {"--preview", "0.8", "--seed", "7"}).ok());
    EXPECT_EQ(read_bytes(output("a.mkv")), read_bytes(output("b.mkv")));
    EXPECT_NE(pictures_of(output("a.mkv")), pictures_of(output("c.mkv")));
}

/// The clip of the folder's only run, when it is there.
std::optional<fs::path> kept_clip(const fs::path& folder, const std::string& name) {
    std::error_code error;
    for (const auto& run : fs::directory_iterator(folder, error))
        if (fs::exists(run.path() / name)) return run.path() / name;
    return std::nullopt;
}

TEST_F(Xdub, AnInterruptedRunGoesOnToTheSameFile) {
    ASSERT_TRUE(dub("whole.mkv").ok());
    const fs::path kept = *folder_ / ".cut.mkv.omnisync-clips";
    ProcessOptions options;
    options.limit = std::chrono::minutes(4);
    options.signal = SIGTERM;
    options.signal_when = [&] { return kept_clip(kept, "0-2.safetensors").has_value(); };
    const auto cut = run(command("cut.mkv", {"--quiet"}), options);
    ASSERT_FALSE(cut.ok()) << "the signal came too late to test anything";
    EXPECT_TRUE(failed_with(cut, kInterrupted, "clips are kept")) << cut.summary();
    EXPECT_FALSE(fs::exists(output("cut.mkv")));
    // Another run to the same name leaves them alone.
    ASSERT_TRUE(dub("cut.mkv", {"--preview", "0.3"}).ok());
    const auto clip = kept_clip(kept, "0-1.safetensors");
    ASSERT_TRUE(clip.has_value());
    std::string damaged = read_bytes(*clip);
    damaged.back() ^= 1;
    write_bytes(*clip, damaged);  // is computed again
    const auto resumed = dub("cut.mkv");
    ASSERT_TRUE(resumed.ok()) << resumed.summary();
    EXPECT_NE(resumed.err.find("goes on from"), std::string::npos) << resumed.err;
    EXPECT_EQ(read_bytes(output("cut.mkv")), read_bytes(output("whole.mkv")));
    EXPECT_FALSE(fs::exists(kept));
}

TEST_F(Xdub, CompatTakesTheWholeSquare) {
    ASSERT_TRUE(dub("own.mkv", {"--preview", "0.6"}).ok());
    ASSERT_TRUE(dub("compat.mkv", {"--preview", "0.6", "--xdub-compat"}).ok());
    const auto changed = [](const std::string& name) {
        const std::string before = pictures_of(example("speaker.mp4"));
        const std::string after = pictures_of(output(name));
        std::size_t count = 0;
        for (std::size_t i = 0; i < std::min({before.size(), after.size(), kFrameBytes}); ++i)
            if (before[i] != after[i]) ++count;
        return count;
    };
    EXPECT_GT(changed("compat.mkv"), 2 * changed("own.mkv"));
}

TEST_F(Xdub, WrongModelsAreNamedBeforeAnythingIsWritten) {
    const fs::path copy = *folder_ / "lacking";
    fs::copy(models(), copy, fs::copy_options::recursive);
    fs::remove(copy / "Wan2.2_VAE.safetensors");
    fs::remove_all(copy / "whisper");
    const auto lacking = dub("none.mkv", {"--quiet"}, "lacking");
    EXPECT_TRUE(failed_with(lacking, kUnavailable, "Wan2.2_VAE.safetensors, whisper/large-v2.pt"));
    fs::copy(fs::path(models()) / "X-Dub_model.safetensors", copy / "Wan2.2_VAE.safetensors");
    fs::copy(fs::path(models()) / "whisper", copy / "whisper", fs::copy_options::recursive);
    const auto swapped = dub("none.mkv", {"--quiet"}, "lacking");
    EXPECT_EQ(swapped.exit_code, kBadData) << swapped.summary();
    EXPECT_FALSE(fs::exists(output("none.mkv")));
}

TEST_F(Xdub, ADryRunDoesNotSample) {
    const auto done = dub("dry.mkv", {"--dry-run"});
    ASSERT_TRUE(done.ok()) << done.summary();
    EXPECT_FALSE(fs::exists(output("dry.mkv")));
    EXPECT_NE(done.err.find("not tried out"), std::string::npos) << done.err;
    EXPECT_NE(done.out.find("redrawn in 75 pictures"), std::string::npos) << done.out;
    const auto other = dub("dry.mkv", {"--dry-run", "--quiet"}, "nothing");
    EXPECT_TRUE(failed_with(other, kUnavailable, "X-Dub_model.safetensors"));
}

}  // namespace
}  // namespace omnisync::test
