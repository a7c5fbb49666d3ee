// Nothing that a command reads, and nothing that is not an output of ours, is overwritten by a slip, --force or not.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/dub.h"
#include "support/paths.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using Words = std::vector<std::string>;

class OwnFiles : public ::testing::Test {
protected:
    void SetUp() override {
        for (const char* name : {"speaker.mp4", "speech.wav"})
            fs::copy_file(source_root() / "examples" / name, folder_ / name);
        write_bytes(folder_ / "segments.json", R"([{"start":0,"end":1,"speaker":1}])");
        write_bytes(folder_ / "options.toml", "quiet = true\n");
        write_bytes(folder_ / "diary.txt", "Dear diary");
        write_bytes(folder_ / "shard.safetensors", "not really");
        fs::create_symlink("speech.wav", folder_ / "link");
        before_ = bytes();
    }
    void TearDown() override { EXPECT_EQ(bytes(), before_) << "a file was changed"; }

    [[nodiscard]] std::vector<std::string> bytes() const {
        std::vector<std::string> all;
        for (const char* name :
             {"speaker.mp4", "speech.wav", "segments.json", "options.toml", "diary.txt", "shard.safetensors"})
            all.push_back(read_bytes(folder_ / name));
        return all;
    }
    ProcessResult omnisync(Words words) {
        words.insert(words.begin(), command_path());
        ProcessOptions options;
        options.folder = folder_.path().string();
        return run(words, options);
    }
    ProcessResult dub(Words extra) {
        Words words{"dub", "speaker.mp4", "speech.wav", "--engine", "none", "--force"};
        words.insert(words.end(), extra.begin(), extra.end());
        return omnisync(words);
    }

    TempDir folder_;
    std::vector<std::string> before_;
};

TEST_F(OwnFiles, OfADubAreNotItsOutputs) {
    for (const Words& extra : {Words{"-o", "out.mp4", "--analysis", "speech.wav"},
                               {"-o", "out.mp4", "--analysis", "link"},
                               {"-o", "out.mp4", "--analysis", "speaker.mp4"},
                               {"-o", "speech.wav"},
                               {"-o", "link"},
                               {"-o", "out.mp4", "--segments", "segments.json", "--analysis", "segments.json"},
                               {"-o", "out.mp4", "--segments", "segments.json", "--report", "segments.json"},
                               {"-o", "segments.json", "--segments", "segments.json"},
                               {"-o", "out.mp4", "--config", "options.toml", "--report", "options.toml"},
                               {"-o", "out.mp4", "--config", "options.toml", "--analysis", "options.toml"}})
        EXPECT_TRUE(failed_with(dub(extra), kNotAllowed, "is the input")) << shell_line(extra);
    EXPECT_FALSE(fs::exists(folder_ / "out.mp4"));
}

TEST_F(OwnFiles, OutputsOfOneNameAreRefused) {
    for (const Words& extra : {Words{"-o", "out.mp4", "--analysis", "out.mp4"},
                               {"-o", "out.mp4", "--report", "./out.mp4"},
                               {"-o", "out.mp4", "--analysis", "x", "--report", "x"}})
        EXPECT_TRUE(failed_with(dub(extra), kUsage, "name one file")) << shell_line(extra);
    EXPECT_TRUE(failed_with(dub({"-o", "out.mp4", "--analysis", "-"}), kUsage, "cannot be '-'"));
    EXPECT_FALSE(fs::exists(folder_ / "out.mp4"));
}

TEST_F(OwnFiles, AnAnalysisReplacesNothingButAnalyses) {
    EXPECT_TRUE(
        failed_with(omnisync({"inspect", "speaker.mp4", "--analysis", "diary.txt", "--force"}), kBadData, "diary.txt"));
}

TEST_F(OwnFiles, OfATrainingAreNotItsOutputs) {
    fs::copy_file(folder_ / "shard.safetensors", folder_ / "model.checkpoint");
    const Words plain{"train", "motion", "--steps", "1", "--batch", "1", "--data"};
    const auto train = [&](const Words& extra) {
        Words words = plain;
        words.insert(words.end(), extra.begin(), extra.end());
        return omnisync(words);
    };
    EXPECT_TRUE(failed_with(train({"shard.safetensors", "-o", "shard.safetensors", "--force"}), kNotAllowed));
    EXPECT_TRUE(failed_with(train({"model.checkpoint", "-o", "model", "--force"}), kNotAllowed));
    EXPECT_TRUE(failed_with(train({"shard.safetensors", "--held-out", "model.checkpoint", "-o", "model", "--force"}),
                            kNotAllowed));
    EXPECT_TRUE(failed_with(train({"shard.safetensors", "-o", "model"}), kCannotCreate, "model.checkpoint"));
    EXPECT_EQ(read_bytes(folder_ / "model.checkpoint"), read_bytes(folder_ / "shard.safetensors"));
}

TEST_F(OwnFiles, OptionsThatContradictAreRefused) {
    EXPECT_TRUE(failed_with(omnisync({"inspect", "speaker.mp4", "--no-faces", "--faces", "f"}), kUsage, "contradicts"));
    EXPECT_TRUE(failed_with(omnisync({"inspect", "speaker.mp4", "--fast", "--analysis", "a"}), kUsage, "contradicts"));
    EXPECT_TRUE(failed_with(omnisync({"inspect", "speech.wav", "--faces", "f"}), kBadData, "no picture"));
    EXPECT_FALSE(fs::exists(folder_ / "f"));
}

}  // namespace
}  // namespace omnisync::test
