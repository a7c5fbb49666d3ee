// The portable engine as a user meets it: footage prepared, a model trained a few steps, a clip dubbed with it. The
// mouth's words are nonsense after so few steps; what is asked here is what holds for any model.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

constexpr std::chrono::minutes kPatience{4};
constexpr int kSide = 160;  // the example's picture
constexpr int kFrameBytes = kSide * kSide * 3 / 2;

ProcessResult omnisync(Words arguments, int threads = 0) {
    arguments.insert(arguments.begin(), command_path());
    if (threads > 0) arguments.insert(arguments.end(), {"--threads", std::to_string(threads)});
    ProcessOptions options;
    options.limit = kPatience;
    return run(arguments, options);
}

class PortableEngine : public ::testing::Test {
protected:
    static void SetUpTestSuite() {
        folder_ = new TempDir;
        const fs::path footage = *folder_ / "footage";
        fs::create_directories(footage);
        run_or_throw({"ffmpeg", "-v", "error", "-i", example("speaker.mp4"), "-i", example("speech.wav"), "-map", "0:v",
                      "-map", "1:a", "-c:v", "copy", "-c:a", "pcm_s16le", "-shortest",
                      (footage / "clip.mkv").string()});
        fs::copy_file(example("speech.wav"), footage / "speech.wav");  // becomes a clip of speech alone
        write_bytes(footage / "notes.txt", "no video");
        prepared_ = new ProcessResult(omnisync({"prepare", footage.string(), "-o", (*folder_ / "shards").string()}));
        fs::create_directories(*folder_ / "models" / "portable");
        trained_ = new ProcessResult(train(*folder_ / "models" / "portable" / "motion.safetensors", {"--steps", "6"}));
    }
    static void TearDownTestSuite() {
        delete trained_;
        delete prepared_;
        delete folder_;
    }
    static ProcessResult train(const fs::path& output, const Words& extra) {
        Words words{"train",     "motion",
                    "--data",    (*folder_ / "shards" / "train.safetensors").string(),
                    "-o",        output.string(),
                    "--batch",   "2",
                    "--every",   "3",
                    "--threads", "1"};
        words.insert(words.end(), extra.begin(), extra.end());
        return omnisync(words);
    }
    static ProcessResult dub(const std::string& output, int threads = 0, const Words& extra = {}) {
        Words words{"dub",
                    example("speaker.mp4"),
                    example("speech.wav"),
                    "-o",
                    (*folder_ / output).string(),
                    "--force",
                    "--video-codec",
                    "lossless",
                    "--models",
                    (*folder_ / "models").string()};
        words.insert(words.end(), extra.begin(), extra.end());
        return omnisync(words, threads);
    }

    static inline TempDir* folder_ = nullptr;
    static inline ProcessResult* prepared_ = nullptr;
    static inline ProcessResult* trained_ = nullptr;
};

TEST_F(PortableEngine, FootageIsPreparedAndWhatIsRejectedIsNamed) {
    ASSERT_TRUE(prepared_->ok()) << prepared_->summary();
    EXPECT_NE(prepared_->out.find("2 clips"), std::string::npos) << prepared_->out;
    EXPECT_NE(prepared_->err.find("notes.txt: rejected"), std::string::npos) << prepared_->err;
}

TEST_F(PortableEngine, TrainingWritesModelCheckpointAndTable) {
    ASSERT_TRUE(trained_->ok()) << trained_->summary();
    for (const char* name : {"motion.safetensors", "motion.safetensors.checkpoint", "motion.safetensors.csv"})
        EXPECT_TRUE(fs::exists(*folder_ / "models" / "portable" / name)) << name;
}

TEST_F(PortableEngine, ARunThatIsCutGoesOnToTheSameModel) {
    ASSERT_TRUE(trained_->ok());
    // The checkpoint of step 3 as a cut would leave it: all steps but the last three.
    const fs::path cut = *folder_ / "cut.safetensors";
    ProcessOptions options;
    options.limit = kPatience;
    options.signal = SIGTERM;
    options.signal_when = [&] { return fs::exists(cut.string() + ".checkpoint"); };
    const auto stopped =
        run({command_path(), "train", "motion", "--data", (*folder_ / "shards" / "train.safetensors").string(), "-o",
             cut.string(), "--batch", "2", "--every", "3", "--threads", "1", "--steps", "6"},
            options);
    if (stopped.ok()) GTEST_SKIP() << "the run was over before the signal";
    EXPECT_TRUE(failed_with(stopped, 75, "--resume")) << stopped.summary();
    EXPECT_FALSE(fs::exists(cut));
    const auto resumed = train(cut, {"--steps", "6", "--resume"});
    ASSERT_TRUE(resumed.ok()) << resumed.summary();
    EXPECT_EQ(read_bytes(cut), read_bytes(*folder_ / "models" / "portable" / "motion.safetensors"));
}

TEST_F(PortableEngine, TwoProcessesTrainOneModel) {
    ASSERT_TRUE(trained_->ok());
    const auto train_two = [&](const fs::path& output, const Words& extra, const std::function<bool()>& cut = {}) {
        std::array<ProcessResult, 2> results;
        const auto as_rank = [&](int rank) {
            ProcessOptions options;
            options.limit = kPatience;
            options.environment = {"RANK=" + std::to_string(rank), "WORLD_SIZE=2", "MASTER_ADDR=localhost",
                                   "MASTER_PORT=" + std::to_string(30'000 + getpid() % 20'000)};
            if (rank == 0 && cut) options.signal = SIGTERM, options.signal_when = cut;
            Words words{command_path(),
                        "train",
                        "motion",
                        "--data",
                        (*folder_ / "shards" / "train.safetensors").string(),
                        "-o",
                        output.string(),
                        "--batch",
                        "2",
                        "--every",
                        "3",
                        "--threads",
                        "1",
                        "--steps",
                        "6"};
            words.insert(words.end(), extra.begin(), extra.end());
            results[static_cast<std::size_t>(rank)] = run(words, options);
        };
        std::thread second(as_rank, 1);
        as_rank(0);
        second.join();
        return results;
    };
    const fs::path whole = *folder_ / "two.safetensors";
    const auto both = train_two(whole, {});
    ASSERT_TRUE(both[0].ok()) << both[0].summary();
    ASSERT_TRUE(both[1].ok()) << both[1].summary();
    EXPECT_NE(both[0].out.find("trained, 6 steps"), std::string::npos) << both[0].summary();
    EXPECT_EQ(both[1].out, "") << "one of them tells";
    EXPECT_NE(read_bytes(whole), read_bytes(*folder_ / "models" / "portable" / "motion.safetensors"));
    const auto alone = train(whole, {"--steps", "9", "--resume"});
    EXPECT_TRUE(failed_with(alone, 64, "processes")) << alone.summary();

    const fs::path cut = *folder_ / "two-cut.safetensors";
    const auto stopped = train_two(cut, {}, [&] { return fs::exists(cut.string() + ".checkpoint"); });
    if (stopped[0].ok()) GTEST_SKIP() << "the run was over before the signal";
    EXPECT_TRUE(failed_with(stopped[0], 75, "--resume")) << stopped[0].summary();
    EXPECT_TRUE(failed_with(stopped[1], 75, "--resume")) << stopped[1].summary();
    for (const ProcessResult& resumed : train_two(cut, {"--resume"})) ASSERT_TRUE(resumed.ok()) << resumed.summary();
    EXPECT_EQ(read_bytes(cut), read_bytes(whole));
}

TEST_F(PortableEngine, OnlyTheLowerFaceChanges) {
    ASSERT_TRUE(trained_->ok());
    const auto done = dub("out.mkv");
    ASSERT_TRUE(done.ok()) << done.summary();
    const std::string before = pictures_of(example("speaker.mp4"));
    const std::string after = pictures_of(*folder_ / "out.mkv");
    ASSERT_GT(after.size(), 0U);
    ASSERT_EQ(after.size() % kFrameBytes, 0U);
    const std::size_t frames = std::min(before.size(), after.size()) / kFrameBytes;
    std::size_t changed_frames = 0;
    for (std::size_t f = 0; f < frames; ++f) {
        const char* const a = before.data() + f * kFrameBytes;
        const char* const b = after.data() + f * kFrameBytes;
        EXPECT_TRUE(std::equal(a, a + 60 * kSide, b)) << "the eyes of frame " << f;
        changed_frames += std::equal(a, a + kFrameBytes, b) ? 0 : 1;
    }
    EXPECT_GT(changed_frames, frames / 2) << "of " << frames;
}

TEST_F(PortableEngine, TheSameForAnyNumberOfThreads) {
    ASSERT_TRUE(trained_->ok());
    std::string first;
    for (const int threads : {1, 2, 3}) {
        const auto done = dub("threads.mkv", threads, {"--preview", "1"});
        ASSERT_TRUE(done.ok()) << done.summary();
        const std::string pictures = pictures_of(*folder_ / "threads.mkv");
        if (first.empty()) first = pictures;
        EXPECT_TRUE(pictures == first) << threads << " threads";
    }
}

TEST_F(PortableEngine, EveryWayToFillTimeIsDrawn) {
    ASSERT_TRUE(trained_->ok());
    for (const char* mode : {"loop", "bounce", "freeze", "silence", "cut"}) {
        const auto done = dub("sync.mkv", 0, {"--sync", mode, "--offset", "2"});
        EXPECT_TRUE(done.ok()) << mode << ": " << done.summary();
    }
}

TEST_F(PortableEngine, WithoutWeightsNothingIsBegun) {
    fs::create_directories(*folder_ / "nowhere" / "portable");  // found before the weights that ship, and empty
    const auto done = omnisync({"dub", example("speaker.mp4"), example("speech.wav"), "-o",
                                (*folder_ / "none.mkv").string(), "--models", (*folder_ / "nowhere").string()});
    EXPECT_TRUE(failed_with(done, kUnavailable, "--models"));
    EXPECT_FALSE(fs::exists(*folder_ / "none.mkv"));
}

TEST_F(PortableEngine, DamagedWeightsAreNamed) {
    const fs::path models = *folder_ / "damaged";
    fs::create_directories(models / "portable");
    const std::string whole = read_bytes(*folder_ / "models" / "portable" / "motion.safetensors");
    for (const std::string& bytes : {std::string("junk"), whole.substr(0, whole.size() / 2), whole.substr(0, 20)}) {
        write_bytes(models / "portable" / "motion.safetensors", bytes);
        const auto done = omnisync({"dub", example("speaker.mp4"), example("speech.wav"), "-o",
                                    (*folder_ / "none.mkv").string(), "--models", models.string()});
        EXPECT_TRUE(failed_with(done, 65, "motion.safetensors")) << done.summary();
        EXPECT_FALSE(fs::exists(*folder_ / "none.mkv"));
    }
}

}  // namespace
}  // namespace omnisync::test
