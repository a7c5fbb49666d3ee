// The configuration file: TOML whose top level holds the global options and whose tables are named like the commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "option.h"

namespace omnisync::command {

struct ConfigEntry {
    std::string section;  ///< command; empty: global
    std::string key;      ///< an option's name without dashes
    std::string text;     ///< as it would stand on the command line
    std::string place;    ///< "omnisync.toml:12"
};

/// Reads `path` and checks it against the options that exist. Throws Error(bad_config), with file and line, for a file
/// that cannot be read, is not TOML, or has an unknown section or key or a value of the wrong type.
[[nodiscard]] std::vector<ConfigEntry> read_config(const std::string& path, const std::vector<CommandSpec>& specs);

/// ./omnisync.toml, else $XDG_CONFIG_HOME/omnisync/config.toml (~/.config when unset); nothing when neither exists.
[[nodiscard]] std::optional<std::string> find_config();

}  // namespace omnisync::command
