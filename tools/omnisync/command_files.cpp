#include "command_files.h"

#include <filesystem>
#include <system_error>

#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

bool same_file(const std::string& a, const std::string& b) {
    std::error_code failed;
    if (fs::exists(a, failed) && fs::exists(b, failed)) return fs::equivalent(a, b, failed) && !failed;
    const fs::path first = fs::weakly_canonical(fs::absolute(a), failed);
    const fs::path second = fs::weakly_canonical(fs::absolute(b), failed);
    return !failed && first == second;
}

}  // namespace

void check_files(CommandFiles files, const Global& global) {
    files.inputs.push_back(global.config.empty() ? "omnisync.toml" : global.config);
    std::erase_if(files.outputs, [](const auto& output) { return output.second.empty(); });
    for (std::size_t i = 0; i < files.outputs.size(); ++i) {
        const auto& [option, path] = files.outputs[i];
        if (path == "-")
            throw Error(ExitCode::usage, concat(option, " cannot be '-'"),
                        "what appears only when it is complete cannot be a pipe");
        for (const std::string& input : files.inputs)
            if (!input.empty() && fs::exists(input) && same_file(input, path))
                throw Error(ExitCode::not_allowed,
                            concat("the output '", path, "' of ", option, " is the input '", input, "'"),
                            "an input is never overwritten; choose another name");
        for (std::size_t j = 0; j < i; ++j)
            if (same_file(files.outputs[j].second, path))
                throw Error(ExitCode::usage,
                            concat(option, " and ", files.outputs[j].first, " name one file: '", path, "'"),
                            "choose another name for one of them");
    }
}

}  // namespace omnisync::command
