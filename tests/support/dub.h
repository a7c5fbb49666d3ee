// The command under test, as tests call it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "support/process.h"

namespace omnisync::test {

// The documented exit codes (docs/cli.md), as numbers of the tests' own: a slip in the program's is to be seen.
inline constexpr int kUsage = 64;
inline constexpr int kBadData = 65;
inline constexpr int kNoInput = 66;
inline constexpr int kUnavailable = 69;
inline constexpr int kCannotCreate = 73;
inline constexpr int kIo = 74;
inline constexpr int kInterrupted = 75;
inline constexpr int kNotAllowed = 77;

/// The command line of `omnisync dub VIDEO SPEECH -o OUT --engine none EXTRA...`.
std::vector<std::string> dub_command(const std::filesystem::path& video, const std::filesystem::path& speech,
                                     const std::filesystem::path& out, const std::vector<std::string>& extra = {});

/// Runs it.
ProcessResult dub(const std::filesystem::path& video, const std::filesystem::path& speech,
                  const std::filesystem::path& out, const std::vector<std::string>& extra = {},
                  const ProcessOptions& options = {});

/// Runs it and asks for success: exit code 0, no signal, no sanitizer report, the file is there.
testing::AssertionResult dubs(const std::filesystem::path& video, const std::filesystem::path& speech,
                              const std::filesystem::path& out, const std::vector<std::string>& extra = {});

/// No crash, no hang, no sanitizer report, and one of the documented exit codes.
testing::AssertionResult ended_properly(const ProcessResult& result);

/// A failure as documented: this exit code, exactly one line on stderr that says `part` somewhere, nothing on stdout.
testing::AssertionResult failed_with(const ProcessResult& result, int exit_code, const std::string& part = {});

}  // namespace omnisync::test
