// The fault table: bad inputs, bad outputs, full disks. Always a documented exit code, one line of message, nothing
// lost.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <random>

#include "support/corpus.h"
#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/sound.h"

namespace omnisync::test {
namespace {

enum Exit : int {
    kDone = 0,
    kUsage = 64,
    kBadData = 65,
    kNoInput = 66,
    kUnavailable = 69,
    kCannotCreate = 73,
    kIo = 74,
    kNotAllowed = 77
};

class Faults : public testing::Test {
protected:
    void SetUp() override {
        fs::copy_file(make("plain"), video());
        write_wav(speech(), busy_track(16000, 16000), 16000);
    }

    [[nodiscard]] fs::path video() const { return tmp_ / "video.mp4"; }
    [[nodiscard]] fs::path speech() const { return tmp_ / "speech.wav"; }
    [[nodiscard]] fs::path out() const { return tmp_ / "out.mp4"; }

    [[nodiscard]] ProcessResult attempt(const fs::path& video_file, const fs::path& speech_file,
                                        std::vector<std::string> extra = {}) const {
        extra.insert(extra.end(), {"--preset", "ultrafast"});
        ProcessOptions options;
        options.limit = std::chrono::seconds(30);
        return dub(video_file, speech_file, out(), extra, options);
    }

    /// The inputs are as they were, and neither a result nor a half-written file lies about.
    void expect_nothing_written() const {
        EXPECT_FALSE(fs::exists(out()));
        for (const auto& name : names_in(tmp_.path())) {
            EXPECT_EQ(name.find(".part"), std::string::npos) << "left behind: " << name;
        }
    }

    TempDir tmp_;
};

TEST_F(Faults, MissingInputs) {
    EXPECT_TRUE(failed_with(attempt(tmp_ / "none.mp4", speech()), kNoInput, "none.mp4"));
    EXPECT_TRUE(failed_with(attempt(video(), tmp_ / "none.wav"), kNoInput, "none.wav"));
    expect_nothing_written();
}

TEST_F(Faults, EmptyInputs) {
    write_bytes(tmp_ / "empty.mp4", "");
    write_bytes(tmp_ / "empty.wav", "");
    EXPECT_TRUE(failed_with(attempt(tmp_ / "empty.mp4", speech()), kBadData, "empty.mp4"));
    EXPECT_TRUE(failed_with(attempt(video(), tmp_ / "empty.wav"), kBadData, "empty.wav"));
    expect_nothing_written();
}

TEST_F(Faults, TextInputs) {
    std::string text;
    for (int i = 0; i < 200; ++i) text += "This is no video, whatever its name says.\n";
    for (const char* name : {"text.mp4", "text.mkv", "text.wav", "text.avi"}) {
        write_bytes(tmp_ / name, text);
        EXPECT_TRUE(failed_with(attempt(tmp_ / name, speech()), kBadData, name));
        EXPECT_TRUE(failed_with(attempt(video(), tmp_ / name), kBadData, name));
    }
    expect_nothing_written();
}

TEST_F(Faults, SoundForPictureAndPictureForSound) {
    EXPECT_TRUE(failed_with(attempt(speech(), speech()), kBadData, "speech.wav"));
    EXPECT_TRUE(failed_with(attempt(video(), make("no_sound")), kBadData, "no_sound"));
    expect_nothing_written();
}

TEST_F(Faults, AWavWithoutSamples) {
    write_wav(tmp_ / "hollow.wav", {}, 16000);
    EXPECT_TRUE(failed_with(attempt(video(), tmp_ / "hollow.wav"), kBadData, "hollow.wav"));
    expect_nothing_written();
}

TEST_F(Faults, PlaylistsAndAddressesAreNotFollowed) {
    write_bytes(tmp_ / "list.m3u8", "#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n");
    write_bytes(tmp_ / "list.ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n");
    EXPECT_TRUE(failed_with(attempt(tmp_ / "list.m3u8", speech()), kBadData));
    EXPECT_TRUE(failed_with(attempt(tmp_ / "list.ffconcat", speech()), kBadData));
    EXPECT_TRUE(failed_with(attempt("http://127.0.0.1:9/x.mp4", speech()), kNoInput));
    EXPECT_TRUE(failed_with(attempt("concat:" + video().string(), speech()), kNoInput));
    expect_nothing_written();
}

TEST_F(Faults, FoldersAndPipesAsInputs) {
    fs::create_directory(tmp_ / "folder.mp4");
    EXPECT_TRUE(failed_with(attempt(tmp_ / "folder.mp4", speech()), kNoInput, "folder.mp4"));
    EXPECT_TRUE(failed_with(attempt(video(), tmp_ / "folder.mp4"), kNoInput, "folder.mp4"));
    // Nobody writes to it: opening it the naive way would wait for ever.
    ASSERT_EQ(mkfifo((tmp_ / "fifo.mp4").c_str(), 0600), 0);
    EXPECT_TRUE(failed_with(attempt(tmp_ / "fifo.mp4", speech()), kNoInput, "fifo.mp4"));
    EXPECT_TRUE(failed_with(attempt(video(), tmp_ / "fifo.mp4"), kNoInput, "fifo.mp4"));
    EXPECT_TRUE(failed_with(attempt("-", speech()), kUsage));
    EXPECT_TRUE(failed_with(attempt(video(), "-"), kUsage));
    expect_nothing_written();
}

/// The command line as an ordinary user, for whom permissions count.
std::vector<std::string> as_nobody(std::vector<std::string> command) {
    if (geteuid() != 0) return command;
    std::vector<std::string> words{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
}

/// Whether an ordinary user can start the command at all (the checkout may lie in root's home).
bool nobody_can_run() {
    return run(as_nobody({command_path(), "--version"})).ok();
}

TEST_F(Faults, UnreadableInputs) {
    if (!nobody_can_run()) GTEST_SKIP() << "an ordinary user cannot reach the command";
    fs::permissions(tmp_.path(), fs::perms::all);
    fs::permissions(video(), fs::perms::none);
    EXPECT_TRUE(failed_with(run(as_nobody(dub_command(video(), speech(), out()))), kNoInput, "video.mp4"));
    fs::permissions(video(), fs::perms::owner_all | fs::perms::others_read);
    fs::permissions(speech(), fs::perms::none);
    EXPECT_TRUE(failed_with(run(as_nobody(dub_command(video(), speech(), out()))), kNoInput, "speech.wav"));
    expect_nothing_written();
}

TEST_F(Faults, AFolderThatMayNotBeWritten) {
    if (!nobody_can_run()) GTEST_SKIP() << "an ordinary user cannot reach the command";
    fs::permissions(tmp_.path(), fs::perms::owner_all | fs::perms::others_read | fs::perms::others_exec);
    fs::create_directory(tmp_ / "locked");
    fs::permissions(tmp_ / "locked",
                    fs::perms::owner_read | fs::perms::owner_exec | fs::perms::others_read | fs::perms::others_exec);
    for (const auto& file : {video(), speech()}) fs::permissions(file, fs::perms::owner_all | fs::perms::others_read);
    EXPECT_TRUE(
        failed_with(run(as_nobody(dub_command(video(), speech(), tmp_ / "locked/out.mp4"))), kCannotCreate, "locked"));
    EXPECT_TRUE(names_in(tmp_ / "locked").empty());
}

TEST_F(Faults, OutputsThatCannotBe) {
    const auto to = [&](const fs::path& target) { return dub(video(), speech(), target, {"--preset", "ultrafast"}); };
    EXPECT_TRUE(failed_with(to(tmp_ / "no/such/folder/out.mp4"), kCannotCreate, "no/such/folder"));
    EXPECT_TRUE(failed_with(to(tmp_.path()), kCannotCreate));
    EXPECT_TRUE(failed_with(to(video() / "out.mp4"), kCannotCreate));
    EXPECT_TRUE(failed_with(to("/dev/full"), kCannotCreate, "/dev/full"));
    EXPECT_TRUE(failed_with(to(tmp_ / (std::string(300, 'x') + ".mp4")), kCannotCreate));
    for (const std::string extension : {".wav", ".png", ".srt"}) {
        EXPECT_TRUE(failed_with(to(tmp_ / ("out" + extension)), kUsage, extension));
    }
    expect_nothing_written();
}

TEST_F(Faults, ANameWithoutAContainerTakesThatOfTheVideo) {
    for (const char* name : {"bare", "v1.0"}) {
        ASSERT_TRUE(dubs(video(), speech(), tmp_ / name, {"--preset", "ultrafast"})) << name;
        EXPECT_EQ(probe(tmp_ / name)["format"].value("format_name", ""),
                  probe(video())["format"].value("format_name", ""));
    }
}

TEST_F(Faults, AnInputIsNeverTheOutput) {
    const auto video_before = read_bytes(video());
    const auto speech_before = read_bytes(speech());
    fs::create_symlink(video(), tmp_ / "soft.mp4");
    fs::create_hard_link(video(), tmp_ / "hard.mp4");
    fs::create_directory(tmp_ / "sub");
    fs::create_directory_symlink(tmp_.path(), tmp_ / "sub/back");
    ProcessOptions inside;
    inside.folder = tmp_.path();
    for (const char* name :
         {"video.mp4", "./video.mp4", "sub/../video.mp4", "soft.mp4", "hard.mp4", "sub/back/video.mp4", "speech.wav"}) {
        for (const bool force : {false, true}) {
            const auto result = dub("video.mp4", "speech.wav", name,
                                    force ? std::vector<std::string>{"--force"} : std::vector<std::string>{}, inside);
            EXPECT_TRUE(failed_with(result, kNotAllowed)) << name << (force ? " --force" : "");
        }
    }
    EXPECT_EQ(read_bytes(video()), video_before);
    EXPECT_EQ(read_bytes(speech()), speech_before);
    expect_nothing_written();
}

TEST_F(Faults, TheReportIsNoWayToDestroyAnInputEither) {
    const auto before = read_bytes(video());
    EXPECT_NE(attempt(video(), speech(), {"--force", "--report", video().string()}).exit_code, kDone);
    EXPECT_EQ(read_bytes(video()), before);
}

TEST_F(Faults, AnExistingOutputIsReplacedOnlyByForce) {
    write_bytes(out(), "precious");
    EXPECT_TRUE(failed_with(attempt(video(), speech()), kCannotCreate, "--force"));
    EXPECT_EQ(read_bytes(out()), "precious");
    ASSERT_EQ(attempt(video(), speech(), {"--force"}).exit_code, kDone);
    EXPECT_EQ(decode_pictures(out()).pts.size(), 25U);
}

TEST_F(Faults, AFailureLeavesTheExistingOutputAlone) {
    write_bytes(out(), "precious");
    write_bytes(tmp_ / "text.mp4", "no video");
    EXPECT_TRUE(failed_with(attempt(tmp_ / "text.mp4", speech(), {"--force"}), kBadData));
    EXPECT_EQ(read_bytes(out()), "precious");
}

TEST_F(Faults, WrongOptions) {
    const auto with = [&](std::vector<std::string> extra) { return attempt(video(), speech(), std::move(extra)); };
    EXPECT_TRUE(failed_with(with({"--sync", "nonsense"}), kUsage, "nonsense"));
    EXPECT_TRUE(failed_with(with({"--offset", "soon"}), kUsage, "soon"));
    EXPECT_TRUE(failed_with(with({"--offset", "nan"}), kUsage));
    EXPECT_TRUE(failed_with(with({"--video-codec", "nonsense"}), kUnavailable, "nonsense"));
    EXPECT_TRUE(failed_with(with({"--audio-out", "nonsense"}), kUnavailable, "nonsense"));
    EXPECT_TRUE(failed_with(with({"--no-such-option"}), kUsage, "no-such-option"));
    EXPECT_TRUE(failed_with(with({"--keep-audio", "3"}), kUsage));
    // `with` also gives a preset, which a copy and a lossless encoder have no use for.
    EXPECT_TRUE(failed_with(with({"--video-codec", "lossless"}), kUsage, "--preset"));
    EXPECT_TRUE(failed_with(with({"--video-codec", "copy"}), kUsage, "--preset"));
    EXPECT_TRUE(failed_with(with({"--pix-fmt", "nonsense"}), kUsage, "nonsense"));
    expect_nothing_written();
}

TEST_F(Faults, TruncatedVideosAreReportedOrRefused) {
    const auto whole = read_bytes(make("fragmented"));
    const auto matroska = read_bytes(make("ffv1"));
    const auto plain = read_bytes(video());
    for (int i = 0; i < 20; ++i) {
        for (const auto& [bytes, name] :
             {std::pair{&plain, "t.mp4"}, std::pair{&whole, "f.mp4"}, std::pair{&matroska, "m.mkv"}}) {
            const auto cut = tmp_ / name;
            write_bytes(cut, bytes->substr(0, bytes->size() * static_cast<size_t>(i) / 20));
            const auto result = attempt(cut, speech());
            ASSERT_TRUE(ended_properly(result)) << name << " cut at " << i << "/20";
            if (result.exit_code == kDone) {
                const auto left = decode_pictures(out()).pts.size();
                EXPECT_GT(left, 0U);
                // What is missing may be sound alone, or only an index: then the picture is whole and nothing is amiss.
                const auto strict = attempt(cut, speech(), {"--strict", "--force"});
                if (left < 25) EXPECT_TRUE(failed_with(strict, kBadData)) << name << " cut at " << i << "/20";
                if (left == 25) EXPECT_TRUE(ended_properly(strict)) << name << " cut at " << i << "/20";
                fs::remove(out());
            } else {
                EXPECT_EQ(result.exit_code, kBadData) << name << " cut at " << i << "/20: " << result.summary();
            }
            expect_nothing_written();
        }
    }
}

TEST_F(Faults, TruncatedSpeechesAreReportedOrRefused) {
    for (const char* coded : {"speech.wav", "speech.m4a", "speech.mp3", "speech.flac"}) {
        const auto whole = tmp_ / coded;
        if (!fs::exists(whole)) run_or_throw({"ffmpeg", "-v", "error", "-i", speech().string(), whole.string()});
        const auto bytes = read_bytes(whole);
        for (int i = 0; i < 20; i += 3) {
            const auto cut = tmp_ / ("cut" + whole.extension().string());
            write_bytes(cut, bytes.substr(0, bytes.size() * static_cast<size_t>(i) / 20));
            const auto result = attempt(video(), cut);
            ASSERT_TRUE(ended_properly(result)) << coded << " cut at " << i << "/20";
            if (result.exit_code != kDone) EXPECT_EQ(result.exit_code, kBadData) << result.summary();
            fs::remove(out());
            expect_nothing_written();
        }
    }
}

/// 200 damaged copies in 10 portions, so that portions can run side by side and a failure names its seeds.
class FlippedBits : public Faults, public testing::WithParamInterface<int> {};

TEST_P(FlippedBits, NeverCrashHangOrLie) {
    static constexpr const char* kSources[] = {
        "one_frame", "everything", "vp9", "mpeg2_interlaced", "mpeg4", "fragmented", "hevc_mov", "av1", "mjpeg", "flv"};
    const auto& what = specimen(kSources[GetParam()]);
    const auto original = read_bytes(make(what));
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::mt19937 random(seed * 10 + static_cast<unsigned>(GetParam()));
        auto bytes = original;
        // Half of the copies are hit in the headers, where a bit does most.
        const size_t range = seed % 2 == 0 ? bytes.size() : std::min<size_t>(bytes.size(), 4096);
        const int flips = 1 + static_cast<int>(random() % 12);
        for (int i = 0; i < flips; ++i) {
            const size_t bit = random() % (range * 8);
            bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
        }
        const auto damaged = tmp_ / ("damaged" + what.extension);
        write_bytes(damaged, bytes);
        ProcessOptions limit;
        limit.limit = std::chrono::seconds(30);
        const auto result = dub(damaged, speech(), out(), {"--video-codec", "mpeg4", "--sync", "cut"}, limit);
        ASSERT_TRUE(ended_properly(result)) << what.name << " seed " << seed;
        EXPECT_NE(result.exit_code, 70) << what.name << " seed " << seed << ": " << result.summary();
        if (result.exit_code == kDone)
            EXPECT_FALSE(decode_pictures(out()).pts.empty()) << what.name << " seed " << seed;
        fs::remove(out());
        expect_nothing_written();
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FlippedBits, testing::Range(0, 10));

TEST_F(Faults, AFileSizeLimitIsAnIoError) {
    auto command = dub_command(video(), speech(), out(), {"--preset", "ultrafast"});
    command.insert(command.begin(), {"prlimit", "--fsize=20000"});
    EXPECT_TRUE(failed_with(run(command), kIo));
    expect_nothing_written();
}

TEST_F(Faults, AFullDiskIsAnIoErrorAndTheOldFileStays) {
    const auto disk = tmp_ / "disk";
    fs::create_directory(disk);
    if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0) GTEST_SKIP() << "only root can mount a tiny disk";
    const std::string old(20000, 'o');
    write_bytes(disk / "old.mp4", old);
    for (const char* name : {"new.mp4", "new.mkv", "new.mov", "old.mp4"}) {
        const auto result = dub(video(), speech(), disk / name, {"--video-codec", "lossless", "--force"});
        EXPECT_TRUE(failed_with(result, kIo)) << name;
    }
    EXPECT_EQ(read_bytes(disk / "old.mp4"), old);
    EXPECT_EQ(names_in(disk), std::vector<std::string>{"old.mp4"});
    umount(disk.c_str());
}

TEST_F(Faults, AStandardErrorThatIsClosedOrFullChangesNothing) {
    const auto line = shell_line(dub_command(video(), speech(), out(), {"--preset", "ultrafast"}));
    EXPECT_EQ(run({"sh", "-c", line + " 2>/dev/full"}).exit_code, kDone);
    fs::remove(out());
    EXPECT_EQ(run({"sh", "-c", line + " 2>&-"}).exit_code, kDone);
    EXPECT_EQ(decode_pictures(out()).pts.size(), 25U);
}

}  // namespace
}  // namespace omnisync::test
