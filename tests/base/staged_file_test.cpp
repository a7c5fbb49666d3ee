#include "base/staged_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <string>

#include "omnisync/error.h"
#include "support/paths.h"

namespace omnisync {
namespace {

using test::names_in;
using test::read_bytes;
using test::TempDir;
using test::write_bytes;

ExitCode code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return ExitCode::done;
}

void put(const StagedFile& file, const std::string& text) {
    ASSERT_EQ(::write(file.descriptor(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(StagedFile, AppearsOnlyWhenPublished) {
    const TempDir folder;
    const std::string target = (folder / "out.bin").string();
    {
        StagedFile file(target, false, {});
        put(file, "whole");
        EXPECT_FALSE(std::filesystem::exists(target));
        file.publish();
    }
    EXPECT_EQ(read_bytes(target), "whole");
    EXPECT_EQ(names_in(folder.path()).size(), 1U);
}

TEST(StagedFile, LeavesNothingWhenItIsDropped) {
    const TempDir folder;
    {
        const StagedFile file((folder / "out.bin").string(), false, {});
        EXPECT_EQ(names_in(folder.path()).size(), 1U);
    }
    EXPECT_TRUE(names_in(folder.path()).empty());
}

TEST(StagedFile, ReplacesAnExistingFileOnlyWhenToldTo) {
    const TempDir folder;
    const std::string target = (folder / "out.bin").string();
    write_bytes(target, "old");
    EXPECT_EQ(code_of([&] { StagedFile(target, false, {}); }), ExitCode::cannot_create);
    ASSERT_EQ(::chmod(target.c_str(), 0640), 0);
    StagedFile file(target, true, {});
    put(file, "new");
    EXPECT_EQ(read_bytes(target), "old");
    file.publish();
    EXPECT_EQ(read_bytes(target), "new");
    struct stat status {};
    ASSERT_EQ(::stat(target.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0640U);
}

TEST(StagedFile, DoesNotReplaceAFileThatAppearedMeanwhile) {
    const TempDir folder;
    const std::string target = (folder / "out.bin").string();
    StagedFile file(target, false, {});
    put(file, "ours");
    write_bytes(target, "theirs");
    EXPECT_EQ(code_of([&] { file.publish(); }), ExitCode::cannot_create);
    EXPECT_EQ(read_bytes(target), "theirs");
}

TEST(StagedFile, RefusesAnInputByEveryName) {
    const TempDir folder;
    const std::string input = (folder / "in.bin").string();
    write_bytes(input, "precious");
    std::filesystem::create_symlink(input, folder / "soft");
    std::filesystem::create_hard_link(input, folder / "hard");
    for (const std::string name : {"in.bin", "./in.bin", "soft", "hard"})
        EXPECT_EQ(code_of([&] { StagedFile((folder.path() / name).string(), true, {input}); }), ExitCode::not_allowed)
            << name;
    EXPECT_EQ(read_bytes(input), "precious");
}

TEST(StagedFile, WritesThroughALinkAndKeepsIt) {
    const TempDir folder;
    write_bytes(folder / "real.bin", "old");
    std::filesystem::create_symlink("real.bin", folder / "link.bin");
    StagedFile file((folder / "link.bin").string(), true, {});
    put(file, "new");
    file.publish();
    EXPECT_TRUE(std::filesystem::is_symlink(folder / "link.bin"));
    EXPECT_EQ(read_bytes(folder / "real.bin"), "new");
}

TEST(StagedFile, RefusesFoldersDevicesAndMissingFolders) {
    const TempDir folder;
    for (const std::string& target :
         {folder.path().string(), (folder / "missing/out.bin").string(), std::string("/dev/null"), std::string()})
        EXPECT_EQ(code_of([&] { StagedFile(target, true, {}); }), ExitCode::cannot_create) << target;
}

TEST(StagedFile, TakesTheLongestNames) {
    const TempDir folder;
    const std::string target = (folder / std::string(255, 'n')).string();
    StagedFile file(target, false, {});
    file.publish();
    EXPECT_TRUE(std::filesystem::exists(target));
}

}  // namespace
}  // namespace omnisync
