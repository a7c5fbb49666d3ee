#include "command_files.h"

#include <filesystem>

#include "base/staged_file.h"
#include "omnisync/error.h"

namespace omnisync::command {
void check_files(CommandFiles files, const Global& global) {
    files.inputs.push_back(global.config.empty() ? "omnisync.toml" : global.config);
    std::erase_if(files.outputs, [](const auto& output) { return output.second.empty(); });
    for (std::size_t i = 0; i < files.outputs.size(); ++i) {
        const auto& [option, path] = files.outputs[i];
        if (path == "-")
            throw Error(ExitCode::usage, concat(option, " cannot be '-'"),
                        "what appears only when it is complete cannot be a pipe");
        for (const std::string& input : files.inputs)
            if (!input.empty() && std::filesystem::exists(input) && same_file(input, path))
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
