#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace omnisync::json {
namespace {

TEST(JsonQuote, IsReadBackByAParser) {
    for (const std::string& text : {std::string("plain"), std::string("a\"b\\c/d"), std::string("\n\r\t\b\f\x1f"),
                                    std::string("日本語 🎬"), std::string("\0x", 2), std::string("\x7f")})
        EXPECT_EQ(nlohmann::json::parse(quote(text)).get<std::string>(), text);
}

TEST(JsonQuote, ReplacesBytesThatAreNotUtf8) {
    EXPECT_EQ(nlohmann::json::parse(quote("caf\xe9")).get<std::string>(), "caf\uFFFD");
}

TEST(JsonQuote, StaysOnOneLine) {
    EXPECT_EQ(quote("a\nb").find('\n'), std::string::npos);
}

TEST(JsonNumber, WritesWhatJsonKnows) {
    EXPECT_EQ(number(0), "0");
    EXPECT_EQ(number(-0.0), "0");
    EXPECT_EQ(number(25), "25");
    EXPECT_EQ(number(-1.5), "-1.5");
    EXPECT_EQ(number(1.0 / 3), "0.333333");
    EXPECT_EQ(number(1e15), "1000000000000000");
    EXPECT_EQ(number(std::nan("")), "null");
    EXPECT_EQ(number(-INFINITY), "null");
}

TEST(JsonObject, KeepsTypesAndOrder) {
    Object inner;
    inner.add("deep", true);
    Object object;
    object.add("text", "x").add("number", 0.5).add("count", std::numeric_limits<std::int64_t>::max());
    object.add("flag", false).add_raw("inner", inner.text());
    EXPECT_EQ(object.text(),
              R"({"text":"x","number":0.5,"count":9223372036854775807,"flag":false,"inner":{"deep":true}})");
    EXPECT_EQ(Object{}.text(), "{}");
}

}  // namespace
}  // namespace omnisync::json
