#include "base/log.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace omnisync::log {
namespace {

class Log : public testing::Test {
protected:
    void TearDown() override { set_sink({}); }

    void listen(Level least) {
        set_sink([this](Level level, std::string_view text) { heard_.emplace_back(level, text); }, least);
    }

    std::vector<std::pair<Level, std::string>> heard_;
};

// Counts how often it is printed.
struct Costly {
    int* printed;
    friend std::ostream& operator<<(std::ostream& out, const Costly& costly) {
        ++*costly.printed;
        return out << "costly";
    }
};

TEST_F(Log, JoinsPartsAndKeepsTheLevel) {
    listen(Level::debug);
    warn("frame ", 7, " at ", 0.25, " s");
    ASSERT_EQ(heard_.size(), 1U);
    EXPECT_EQ(heard_[0].first, Level::warn);
    EXPECT_EQ(heard_[0].second, "frame 7 at 0.25 s");
}

TEST_F(Log, DropsWhatIsBelowTheLevelBeforeItIsMade) {
    listen(Level::warn);
    int printed = 0;
    info(Costly{&printed});
    EXPECT_EQ(printed, 0);
    error(Costly{&printed});
    EXPECT_EQ(printed, 1);
    EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(Log, IsSilentWithoutASinkAndWhenOff) {
    EXPECT_FALSE(enabled(Level::error));
    error("nobody listens");
    listen(Level::off);
    error("off");
    write(Level::off, "off is no level to write at");
    EXPECT_TRUE(heard_.empty());
}

TEST_F(Log, OutlivesASinkThatThrows) {
    set_sink([](Level, std::string_view) { throw std::runtime_error("disk full"); });
    EXPECT_NO_THROW(error("lost"));
    listen(Level::debug);
    info("kept");
    EXPECT_EQ(heard_.size(), 1U);
}

TEST_F(Log, CallsTheSinkFromOneThreadAtATime) {
    listen(Level::debug);  // a vector without a lock: ThreadSanitizer and the count both notice a race
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([] {
            for (int i = 0; i < 1000; ++i) info("message ", i);
        });
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(heard_.size(), 4000U);
}

TEST(LogLevel, NamesAreReadBack) {
    for (const Level level : {Level::debug, Level::info, Level::warn, Level::error, Level::off})
        EXPECT_EQ(parse_level(name(level)), level);
    EXPECT_EQ(parse_level("loud"), std::nullopt);
    EXPECT_EQ(parse_level(""), std::nullopt);
}

}  // namespace
}  // namespace omnisync::log
