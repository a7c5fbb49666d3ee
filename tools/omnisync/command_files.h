// What a command reads and what it writes, checked before any work begins: nothing of a user's is lost to a slip.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "command.h"

namespace omnisync::command {

struct CommandFiles {
    std::vector<std::string> inputs;                           ///< empty names are left out
    std::vector<std::pair<std::string, std::string>> outputs;  ///< option, path; empty paths are left out
};

/// Throws Error: not_allowed when an output is one of the inputs (also through links) or the configuration file in
/// force; usage when two outputs are one file, or one is "-".
void check_files(CommandFiles files, const Global& global);

}  // namespace omnisync::command
