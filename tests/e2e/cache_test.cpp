// What is kept between runs (docs/cli.md, cache): found again, never believed when it is harmed, never more than
// allowed; and the page of --report-html.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "support/dub.h"
#include "support/paths.h"
#include "support/probe.h"
#include "support/process.h"

namespace omnisync::test {
namespace {

using testing::HasSubstr;
using testing::Not;
using Words = std::vector<std::string>;

constexpr const char* kFound = "were found before and kept";

class Cache : public testing::Test {
protected:
    [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }
    [[nodiscard]] fs::path kept(const char* kind) const { return folder_ / "cache" / kind; }

    /// dub with the portable engine, or as `more` says, beside a cache of the test's own.
    ProcessResult dub_kept(const std::string& video, const std::string& out, const Words& more = {}) const {
        Words words{command_path(), "dub",       "--cache", file("cache"), "--preview",
                    "0.6",          "--threads", "1",       "-o",          file(out)};
        words.insert(words.end(), more.begin(), more.end());
        words.insert(words.end(), {"--", video, example("speech.wav")});
        ProcessOptions options;
        options.environment = {"OMNISYNC_NO_CACHE=0"};
        options.limit = std::chrono::minutes(4);
        return run(words, options);
    }
    ProcessResult cache(const Words& more) const {
        Words words{command_path(), "cache", "--cache", file("cache"), "--no-cache=false"};
        words.insert(words.end(), more.begin(), more.end());
        return run(words);
    }
    [[nodiscard]] fs::path only_file_in(const char* kind, const std::string& extension) const {
        fs::path found;
        for (const std::string& name : names_in(kept(kind)))
            if (name.ends_with(extension)) found = kept(kind) / name;
        return found;
    }
    TempDir folder_;
};

TEST_F(Cache, FacesAreFoundAgainWhateverTheNameAndGiveTheSameBytes) {
    const auto first = dub_kept(example("speaker.mp4"), "first.mp4");
    ASSERT_TRUE(first.ok()) << first.summary();
    EXPECT_THAT(first.err, Not(HasSubstr(kFound)));
    fs::copy_file(example("speaker.mp4"), folder_ / "a copy.mp4");
    const auto second = dub_kept(file("a copy.mp4"), "second.mp4");
    ASSERT_TRUE(second.ok()) << second.summary();
    EXPECT_THAT(second.err, HasSubstr(kFound));
    const auto without = dub_kept(example("speaker.mp4"), "without.mp4", {"--no-cache"});
    ASSERT_TRUE(without.ok()) << without.summary();
    EXPECT_THAT(without.err, Not(HasSubstr(kFound)));
    EXPECT_EQ(read_bytes(folder_ / "first.mp4"), read_bytes(folder_ / "second.mp4"));
    EXPECT_EQ(read_bytes(folder_ / "first.mp4"), read_bytes(folder_ / "without.mp4"));

    // A harmed entry is made again, and is whole afterwards.
    const fs::path entry = only_file_in("analyses", ".osa");
    const std::string good = read_bytes(entry);
    std::string bad = good;
    bad[bad.size() / 2] ^= 1;
    for (const std::string& harmed : {bad, good.substr(0, good.size() / 2), std::string()}) {
        write_bytes(entry, harmed);
        const auto again = dub_kept(example("speaker.mp4"), "again.mp4", {"--force"});
        ASSERT_TRUE(again.ok()) << again.summary();
        EXPECT_THAT(again.err, Not(HasSubstr(kFound)));
        EXPECT_EQ(read_bytes(entry), good);
    }
    EXPECT_EQ(read_bytes(folder_ / "first.mp4"), read_bytes(folder_ / "again.mp4"));
    // Another question about the same video is another entry.
    ASSERT_TRUE(dub_kept(example("speaker.mp4"), "box.mp4", {"--face-box", "0.2,40,40,80,80"}).ok());
    EXPECT_EQ(names_in(kept("analyses")).size(), 2U);
}

TEST_F(Cache, TwoAtOnceShareIt) {
    ProcessResult a;
    ProcessResult b;
    std::thread other([&] { a = dub_kept(example("speaker.mp4"), "a.mp4"); });
    b = dub_kept(example("speaker.mp4"), "b.mp4");
    other.join();
    ASSERT_TRUE(a.ok()) << a.summary();
    ASSERT_TRUE(b.ok()) << b.summary();
    EXPECT_EQ(read_bytes(folder_ / "a.mp4"), read_bytes(folder_ / "b.mp4"));
    EXPECT_EQ(names_in(kept("analyses")).size(), 1U);
}

TEST_F(Cache, ResultsAreKeptOnlyOnRequestAndOnlyForTheSameJob) {
    const Words none{"--engine", "none"};
    ASSERT_TRUE(dub_kept(example("speaker.mp4"), "a.mp4", none).ok());
    EXPECT_FALSE(fs::exists(kept("results")));
    const auto with = [&](const char* out, Words more) {
        more.insert(more.end(), {"--engine", "none", "--cache-results", "--report", file(out) + ".json"});
        const auto made = dub_kept(example("speaker.mp4"), out, more);
        EXPECT_TRUE(made.ok()) << made.summary();
        return Json::parse(read_bytes(file(out) + ".json"));
    };
    EXPECT_FALSE(with("b.mp4", {}).contains("cache"));
    const Json taken = with("c.mp4", {});
    ASSERT_TRUE(taken.contains("cache"));
    EXPECT_EQ(taken["output"]["path"], file("c.mp4"));
    EXPECT_EQ(read_bytes(folder_ / "b.mp4"), read_bytes(folder_ / "c.mp4"));
    EXPECT_EQ(read_bytes(folder_ / "a.mp4"), read_bytes(folder_ / "c.mp4"));
    EXPECT_FALSE(with("other.mp4", {"--offset", "0.1"}).contains("cache"));
    EXPECT_FALSE(with("other.mkv", {}).contains("cache"));
    // What exists is not replaced without --force, whether it is made or taken.
    EXPECT_TRUE(failed_with(dub_kept(example("speaker.mp4"), "c.mp4", {"--engine", "none", "--cache-results", "-q"}),
                            kCannotCreate, "exists"));
    // A harmed one is made again.
    for (const std::string& name : names_in(kept("results")))
        if (name.ends_with(".data")) write_bytes(kept("results") / name, "harmed");
    EXPECT_FALSE(with("d.mp4", {}).contains("cache"));
    EXPECT_EQ(read_bytes(folder_ / "a.mp4"), read_bytes(folder_ / "d.mp4"));
    EXPECT_TRUE(with("e.mp4", {}).contains("cache"));
}

TEST_F(Cache, ItNeverHoldsMoreThanAllowedAndClearsOnlyItsOwn) {
    for (const char* seconds : {"0.5", "0.6", "0.7"}) {
        // Noise: about a megabyte each.
        const std::string noise = file(std::string("noise") + seconds + ".mp4");
        run_or_throw({"ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                      std::string("testsrc2=size=320x240:rate=25,noise=alls=100:allf=t,trim=duration=") + seconds,
                      "-c:v", "libx264", "-qp", "12", "-pix_fmt", "yuv420p", noise});
        ASSERT_GT(fs::file_size(noise), 300'000U);
        const auto made = dub_kept(noise, fs::path(noise).stem().string() + ".out.mp4",
                                   {"--engine", "none", "--cache-results", "--cache-size", "1", "--crf", "8"});
        ASSERT_TRUE(made.ok()) << made.summary();
    }
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / "cache"))
        if (entry.is_regular_file()) bytes += entry.file_size();
    EXPECT_LE(bytes, 1U << 20U);
    EXPECT_GT(bytes, 0U);

    write_bytes(kept("results") / "mine.txt", "not the cache's");
    const auto info = cache({"info", "--json"});
    ASSERT_TRUE(info.ok()) << info.summary();
    EXPECT_GT(Json::parse(info.out)["kinds"]["results"]["bytes"], 0);
    ASSERT_TRUE(cache({"clear"}).ok());
    EXPECT_EQ(names_in(kept("results")), Words{"mine.txt"});
    EXPECT_TRUE(failed_with(cache({"cleer"}), kUsage, "did you mean 'clear'"));
}

TEST_F(Cache, AFolderThatCannotBeWrittenCostsNothing) {
    write_bytes(folder_ / "cache", "a file where the folder should be");
    const auto made = dub_kept(example("speaker.mp4"), "a.mp4");
    EXPECT_TRUE(made.ok()) << made.summary();
}

TEST_F(Cache, ThePageOfAReportNeedsNothingElseAndQuotesNames) {
    const std::string name = "a<b>&\"c'.mp4";
    const auto made = dub_kept(example("speaker.mp4"), name, {"--report-html", file("page.html")});
    ASSERT_TRUE(made.ok()) << made.summary();
    const std::string page = read_bytes(folder_ / "page.html");
    EXPECT_THAT(page, HasSubstr("<title>a&lt;b&gt;&amp;&quot;c&#39;.mp4</title>"));
    EXPECT_THAT(page, Not(HasSubstr("a<b>")));
    EXPECT_THAT(page, HasSubstr("data:image/jpeg;base64,"));
    EXPECT_THAT(page, HasSubstr("<svg"));
    EXPECT_THAT(page, HasSubstr("prefers-color-scheme: dark"));
    for (const char* outside : {"src=\"http", "href=\"http", "url(", "@import"})
        EXPECT_THAT(page, Not(HasSubstr(outside)));
    const std::string begin = "id=\"report\">";
    const auto at = page.find(begin);
    ASSERT_NE(at, std::string::npos);
    const auto end = page.find("</script>", at);
    const Json report = Json::parse(page.substr(at + begin.size(), end - at - begin.size()));
    EXPECT_EQ(report["output"]["path"], file(name));
    EXPECT_GT(report["engine"]["pictures_redrawn"], 0);
    EXPECT_TRUE(failed_with(dub_kept(example("speaker.mp4"), "b.mp4", {"--report-html", file("b.mp4"), "-q"}), kUsage,
                            "name one file"));
}

}  // namespace
}  // namespace omnisync::test
