#include "support/dub.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "support/paths.h"

namespace omnisync::test {
namespace {

/// The lines of stderr that are errors.
int error_lines(const std::string& text) {
    std::istringstream lines(text);
    int count = 0;
    for (std::string line; std::getline(lines, line);) count += line.rfind("omnisync: error: ", 0) == 0 ? 1 : 0;
    return count;
}

bool sanitizer_spoke(const std::string& text) {
    return text.find("Sanitizer") != std::string::npos || text.find("runtime error:") != std::string::npos;
}

}  // namespace

std::vector<std::string> dub_command(const std::filesystem::path& video, const std::filesystem::path& speech,
                                     const std::filesystem::path& out, const std::vector<std::string>& extra) {
    std::vector<std::string> command{command_path(), "dub", "--engine", "none"};
    command.insert(command.end(), extra.begin(), extra.end());
    command.insert(command.end(), {"-o", out.string(), "--", video.string(), speech.string()});
    return command;
}

ProcessResult dub(const std::filesystem::path& video, const std::filesystem::path& speech,
                  const std::filesystem::path& out, const std::vector<std::string>& extra,
                  const ProcessOptions& options) {
    return run(dub_command(video, speech, out, extra), options);
}

testing::AssertionResult dubs(const std::filesystem::path& video, const std::filesystem::path& speech,
                              const std::filesystem::path& out, const std::vector<std::string>& extra) {
    const auto result = dub(video, speech, out, extra);
    const auto command = shell_line(dub_command(video, speech, out, extra));
    if (!result.ok()) return testing::AssertionFailure() << command << "\n" << result.summary();
    if (sanitizer_spoke(result.err)) return testing::AssertionFailure() << command << "\n" << result.summary();
    if (!std::filesystem::exists(out)) return testing::AssertionFailure() << command << "\nleft no file";
    return testing::AssertionSuccess();
}

testing::AssertionResult ended_properly(const ProcessResult& result) {
    static const std::set<int> kDocumented{0, 64, 65, 66, 69, 73, 74, 75, 77, 78};
    if (result.timed_out) return testing::AssertionFailure() << "hung: " << result.summary();
    if (result.signal != 0) return testing::AssertionFailure() << "crashed: " << result.summary();
    if (sanitizer_spoke(result.err)) return testing::AssertionFailure() << "sanitizer report: " << result.summary();
    if (kDocumented.count(result.exit_code) == 0) {
        return testing::AssertionFailure() << "undocumented exit code: " << result.summary();
    }
    if (result.exit_code != 0 && error_lines(result.err) != 1) {
        return testing::AssertionFailure() << "wants exactly one line 'omnisync: error: ...': " << result.summary();
    }
    return testing::AssertionSuccess();
}

testing::AssertionResult failed_with(const ProcessResult& result, int exit_code, const std::string& part) {
    if (const auto proper = ended_properly(result); !proper) return proper;
    if (result.exit_code != exit_code) {
        return testing::AssertionFailure() << "wanted exit code " << exit_code << ", got " << result.summary();
    }
    if (!part.empty() && result.err.find(part) == std::string::npos) {
        return testing::AssertionFailure() << "the message does not say '" << part << "': " << result.summary();
    }
    if (!result.out.empty()) return testing::AssertionFailure() << "a failure wrote to stdout: " << result.out;
    return testing::AssertionSuccess();
}

}  // namespace omnisync::test
