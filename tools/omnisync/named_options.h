// Options of one command that reach it through another: `bench --dub preview=3`.
#pragma once

#include <string>
#include <vector>

#include "option.h"

namespace omnisync::command {

/// Sets the options of `spec` that `given` names, each as "NAME=VALUE" (of a flag also "NAME"). `own`: names that are
/// not the user's to choose here. `through`: the option that brings them, for messages. Throws Error(usage).
void assign_named(const CommandSpec& spec, const std::vector<std::string>& given, const std::vector<std::string>& own,
                  const std::string& through);

}  // namespace omnisync::command
