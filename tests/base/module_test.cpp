#include "base/module.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "omnisync/error.h"

namespace omnisync {
namespace {

std::string failure(const std::string& name, const std::vector<std::filesystem::path>& folders) {
    try {
        const Module module(name, folders);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
        return error.what();
    }
    return "no error";
}

TEST(Module, IsFoundInTheFirstFolderThatHasIt) {
    const auto folder = folder_of_base_library();
    const Module module("libomnisync_base.so", {"/nonexistent", folder});
    EXPECT_EQ(module.path(), folder / "libomnisync_base.so");
    EXPECT_NE(module.function<void()>("_ZN8omnisync22folder_of_base_libraryB5cxx11Ev"), nullptr);
}

TEST(Module, SaysWhereItWasLookedFor) {
    const std::string message = failure("libomnisync_nothing.so", {"/nonexistent/a", "/nonexistent/b"});
    EXPECT_EQ(message, "'libomnisync_nothing.so' is not in /nonexistent/a, /nonexistent/b");
}

TEST(Module, PassesOnTheLoadersReason) {
    const auto folder = std::filesystem::temp_directory_path();
    const auto file = folder / ("omnisync_module_test_" + std::to_string(::getpid()) + ".so");
    std::ofstream(file) << std::string(4096, 'x');
    const std::string message = failure(file.filename().string(), {folder});
    std::filesystem::remove(file);
    EXPECT_TRUE(message.starts_with("cannot load '" + file.string())) << message;
    EXPECT_NE(message.find("ELF"), std::string::npos) << message;
}

TEST(Module, AMissingFunctionIsNamed) {
    const Module module("libomnisync_base.so", {folder_of_base_library()});
    try {
        (void)module.function<void()>("no_such_function");
        FAIL() << "found a function that does not exist";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::unavailable);
        EXPECT_NE(std::string(error.what()).find("'no_such_function'"), std::string::npos) << error.what();
    }
}

}  // namespace
}  // namespace omnisync
