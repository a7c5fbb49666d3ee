// Where log messages go: through spdlog to the console.
#pragma once

#include "base/progress.h"
#include "command.h"

namespace omnisync::command {

/// Sends the log of all layers to `console`, which outlives it.
void install_log_sink(Console& console, const Global& global, bool colour);
void remove_log_sink();

}  // namespace omnisync::command
