// Words on the command line, environment and configuration file to an Invocation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "command.h"

namespace omnisync::command {

/// What the command line asks for, when that is not a command.
enum class Request { run, help, version, completion };

struct Parsed {
    Request request = Request::run;
    std::string text;  ///< what to print for help and completion
};

/// Fills `invocation` in this order: command line, environment, file, default. `words` does not hold the program's
/// name. Throws Error(usage) for the command line and the environment, Error(bad_config) for the file.
[[nodiscard]] Parsed parse(const std::vector<std::string>& words, Invocation& invocation);

/// Whether errors are to be written as JSON, found without a full parse: it may have failed.
[[nodiscard]] bool wants_json_messages(const std::vector<std::string>& words);

}  // namespace omnisync::command
