#include "base/text.h"

#include <gtest/gtest.h>

#include <cmath>

namespace omnisync {
namespace {

TEST(OneLine, LeavesOrdinaryNamesAlone) {
    EXPECT_EQ(one_line("film.mp4"), "film.mp4");
    EXPECT_EQ(one_line("C:\\film ümläut 日本語 🎬.mp4"), "C:\\film ümläut 日本語 🎬.mp4");
}

TEST(OneLine, ShowsWhatWouldBreakALineOrATerminal) {
    EXPECT_EQ(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
    EXPECT_EQ(one_line("\x1b[31mred"), "\\x1b[31mred");
    EXPECT_EQ(one_line(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(one_line("\x7f"), "\\x7f");
    EXPECT_EQ(one_line("\xc2\x85"), "\\xc2\\x85") << "the C1 line end";
    EXPECT_EQ(one_line("\u2028"), "\\xe2\\x80\\xa8") << "the line separator";
}

TEST(OneLine, ShowsBytesThatAreNotUtf8) {
    EXPECT_EQ(one_line("caf\xe9.mp4"), "caf\\xe9.mp4");
    EXPECT_EQ(one_line("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
    EXPECT_EQ(one_line("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "surrogate";
    EXPECT_EQ(one_line("\xf0\x9f\x8e"), "\\xf0\\x9f\\x8e") << "cut short";
    EXPECT_EQ(one_line("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80") << "beyond Unicode";
}

TEST(ValidUtf8, ReplacesOnlyWhatIsBroken) {
    EXPECT_EQ(valid_utf8("é\xe9z"), "é\uFFFDz");
    EXPECT_EQ(valid_utf8("\xe2\x82"), "\uFFFD\uFFFD");
}

TEST(Closest, FindsTheSlipOfAFinger) {
    const std::vector<std::string> words{"dub", "inspect", "compare", "doctor"};
    EXPECT_EQ(closest("dbu", words), "dub");
    EXPECT_EQ(closest("inspct", words), "inspect");
    EXPECT_EQ(closest("comp", words), "compare") << "a beginning";
    EXPECT_EQ(closest("doktor", words), "doctor");
}

TEST(Closest, DoesNotGuessWildly) {
    const std::vector<std::string> words{"dub", "inspect", "compare", "doctor"};
    EXPECT_EQ(closest("train", words), std::nullopt);
    EXPECT_EQ(closest("", words), std::nullopt);
    EXPECT_EQ(closest(std::string(10000, 'a'), words), std::nullopt);
    EXPECT_EQ(closest("x", {"y"}), std::nullopt);
    EXPECT_EQ(did_you_mean("train", words), "");
    EXPECT_EQ(did_you_mean("dbu", words), "did you mean 'dub'?");
}

TEST(ParseNumber, TakesTheWholeTextOrNothing) {
    EXPECT_EQ(parse_number("0.5"), 0.5);
    EXPECT_EQ(parse_number("-3"), -3.0);
    EXPECT_EQ(parse_number("+2e1"), 20.0);
    for (const char* wrong : {"", "+", "+-1", "1,5", "1.5s", " 1", "1 ", "nan", "inf", "1e999", "0x10"})
        EXPECT_EQ(parse_number(wrong), std::nullopt) << wrong;
    EXPECT_EQ(parse_integer("17"), 17);
    for (const char* wrong : {"", "1.0", "9223372036854775808", "--1", "1e3"})
        EXPECT_EQ(parse_integer(wrong), std::nullopt) << wrong;
}

TEST(ClockText, CountsInMinutesAndHours) {
    EXPECT_EQ(clock_text(0), "0:00");
    EXPECT_EQ(clock_text(59.6), "1:00");
    EXPECT_EQ(clock_text(754), "12:34");
    EXPECT_EQ(clock_text(3723), "1:02:03");
    EXPECT_EQ(clock_text(-1), "-:--");
    EXPECT_EQ(clock_text(std::nan("")), "-:--");
    EXPECT_EQ(clock_text(INFINITY), "-:--");
}

TEST(SizeText, KeepsNumbersShort) {
    EXPECT_EQ(size_text(1023), "1023 B");
    EXPECT_EQ(size_text(1536), "1.5 KiB");
    EXPECT_EQ(size_text((1ULL << 30U) - 1), "1.0 GiB") << "not 1024.0 MiB";
    EXPECT_EQ(size_text(~0ULL), "16384.0 PiB");
}

}  // namespace
}  // namespace omnisync
