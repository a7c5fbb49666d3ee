#include "config_file.h"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLargestFile = 1U << 20U;

std::string read_text(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::error_code error;
    if (!file || fs::is_directory(path, error))
        throw Error(ExitCode::bad_config,
                    concat("cannot read the configuration file '", path, "': ",
                           fs::is_directory(path, error) ? std::string("it is a folder")
                                                         : std::generic_category().message(errno)));
    std::string text;
    std::vector<char> block(65536);
    while (file.read(block.data(), static_cast<std::streamsize>(block.size())) || file.gcount() > 0) {
        text.append(block.data(), static_cast<std::size_t>(file.gcount()));
        require(text.size() <= kLargestFile, ExitCode::bad_config, "the configuration file '", path, "' is over 1 MiB");
    }
    return text;
}

class Reader {
public:
    Reader(std::string path, const std::vector<CommandSpec>& specs) : path_(std::move(path)), specs_(specs) {}

    std::vector<ConfigEntry> read() {
        try {
            const toml::table root = toml::parse(read_text(path_), path_);
            read_top(root);
        } catch (const toml::parse_error& error) {
            throw Error(ExitCode::bad_config, concat(path_, ":", error.source().begin.line, ": ", error.description()),
                        "the file must be TOML");
        }
        return std::move(entries_);
    }

private:
    [[nodiscard]] std::string place(const toml::node& node) const {
        return concat(path_, ":", node.source().begin.line);
    }

    void read_top(const toml::table& root) {
        for (const auto& [key, node] : root) {
            const CommandSpec* spec = section(key.str());
            if (spec && node.is_table()) {
                for (const auto& [inner, value] : *node.as_table()) read_value(*spec, inner, value);
            } else if (node.is_table()) {
                throw Error(ExitCode::bad_config, concat(place(node), ": unknown section [", key.str(), "]"),
                            did_you_mean(key.str(), section_names()));
            } else {
                read_value(specs_.front(), key, node);
            }
        }
    }

    void read_value(const CommandSpec& spec, const toml::key& key, const toml::node& node) {
        const std::string name(key.str());
        const std::string where = concat(path_, ":", key.source().begin.line);
        for (const Option& option : spec.options) {
            if (!option.configurable || option.long_name() != name || name == "config") continue;
            entries_.push_back({spec.name, name, value_text(option, node, where), where});
            return;
        }
        refuse_key(spec, name, where);
    }

    [[noreturn]] void refuse_key(const CommandSpec& spec, const std::string& name, const std::string& where) const {
        std::vector<std::string> names;
        for (const Option& option : spec.options)
            if (option.configurable && option.long_name() != "config") names.push_back(option.long_name());
        std::string hint = did_you_mean(name, names);
        for (const CommandSpec& other : specs_)
            for (const Option& option : other.options)
                if (hint.empty() && option.long_name() == name)
                    hint = !option.configurable || name == "config" ? "it is for the command line only"
                           : other.name.empty() ? "it belongs at the top of the file, before the first section"
                                                : "it belongs into the section [" + other.name + "]";
        const std::string section = spec.name.empty() ? "at the top level" : "in [" + spec.name + "]";
        throw Error(ExitCode::bad_config, concat(where, ": unknown key '", name, "' ", section), hint);
    }

    [[nodiscard]] static std::string value_text(const Option& option, const toml::node& node,
                                                const std::string& where) {
        const bool number_fits = option.kind == ValueKind::number || option.kind == ValueKind::text;
        if (const auto* value = node.as_boolean(); value && option.kind == ValueKind::flag)
            return value->get() ? "true" : "false";
        if (const auto* value = node.as_integer(); value && option.kind != ValueKind::flag)
            return std::to_string(value->get());
        if (const auto* value = node.as_floating_point(); value && number_fits) return json::number(value->get());
        if (const auto* value = node.as_string(); value && option.kind == ValueKind::text) return value->get();
        throw Error(ExitCode::bad_config,
                    concat(where, ": '", option.long_name(), "' must be ", kind_name(option.kind)));
    }

    [[nodiscard]] const CommandSpec* section(std::string_view name) const {
        for (const CommandSpec& spec : specs_)
            if (!spec.name.empty() && spec.name == name) return &spec;
        return nullptr;
    }

    [[nodiscard]] std::vector<std::string> section_names() const {
        std::vector<std::string> names;
        for (const CommandSpec& spec : specs_)
            if (!spec.name.empty()) names.push_back(spec.name);
        return names;
    }

    std::string path_;
    const std::vector<CommandSpec>& specs_;
    std::vector<ConfigEntry> entries_;
};

}  // namespace

std::vector<ConfigEntry> read_config(const std::string& path, const std::vector<CommandSpec>& specs) {
    return Reader(path, specs).read();
}

std::optional<std::string> find_config() {
    std::error_code error;
    if (fs::exists("omnisync.toml", error)) return "omnisync.toml";
    const char* base = std::getenv("XDG_CONFIG_HOME");
    const char* home = std::getenv("HOME");
    fs::path folder;
    if (base && *base == '/') {
        folder = base;  // the specification: a relative path is to be ignored
    } else if (home && *home) {
        folder = fs::path(home) / ".config";
    } else {
        return std::nullopt;
    }
    const fs::path file = folder / "omnisync" / "config.toml";
    if (!fs::exists(file, error)) return std::nullopt;
    return file.string();
}

}  // namespace omnisync::command
