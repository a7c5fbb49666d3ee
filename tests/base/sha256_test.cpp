#include "base/sha256.h"

#include <gtest/gtest.h>

#include "omnisync/analysis.h"
#include "omnisync/error.h"
#include "support/paths.h"

namespace omnisync {
namespace {

// FIPS 180-4's examples and the NIST's long one.
TEST(Sha256, GivesThePublishedSums) {
    EXPECT_EQ(hex(sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    EXPECT_EQ(hex(sha256(std::string(1000000, 'a'))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnThePortions) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += static_cast<char>(i * 7);
    for (std::size_t length = 0; length < text.size(); ++length) {
        Sha256 sum;
        for (std::size_t at = 0; at < length; at += 13)
            sum.add(std::string_view(text).substr(at, std::min<std::size_t>(13, length - at)));
        EXPECT_EQ(sum.finish(), sha256(std::string_view(text).substr(0, length))) << length;
    }
}

TEST(VideoKey, IsOfTheBytes) {
    const test::TempDir folder;
    test::write_bytes(folder / "abc", "abc");
    const VideoKey key = key_of_file((folder / "abc").string());
    EXPECT_EQ(key.bytes, 3);
    EXPECT_EQ(key.sha256, hex(sha256("abc")));
    const auto code_of = [](const std::string& path, const std::function<bool()>& stop = {}) {
        try {
            (void)key_of_file(path, stop);
        } catch (const Error& error) {
            return error.code();
        }
        return ExitCode::done;
    };
    EXPECT_EQ(code_of((folder / "missing").string()), ExitCode::no_input);
    EXPECT_EQ(code_of(folder.path().string()), ExitCode::no_input);
    EXPECT_EQ(code_of((folder / "abc").string(), [] { return true; }), ExitCode::interrupted);
}

}  // namespace
}  // namespace omnisync
