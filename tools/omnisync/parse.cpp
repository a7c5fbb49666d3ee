#include "parse.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "base/text.h"
#include "config_file.h"
#include "named_options.h"
#include "omnisync/error.h"
#include "option.h"

namespace omnisync::command {
namespace {

// CLI11 splits the words; values are converted and checked by the options themselves, wherever a value comes from.
struct Line {
    CLI::App app{"", "omnisync"};
    std::map<const Option*, CLI::Option*> options;
    std::map<std::string, CLI::App*> commands;
    std::map<std::string, std::vector<std::pair<const Operand*, CLI::Option*>>> operands;
    std::map<std::string, CLI::Option*> help;
    CLI::Option* version = nullptr;
    CLI::Option* completion = nullptr;
};

void add_options(Line& line, CLI::App& app, const CommandSpec& spec) {
    line.help[spec.name] = app.add_flag("-h,--help");
    for (const Option& option : spec.options) {
        const std::string names = option.deniable ? option.names + ",!--no-" + option.long_name() : option.names;
        CLI::Option* added = option.kind == ValueKind::flag ? app.add_flag(names) : app.add_option(names);
        if (option.kind != ValueKind::flag) added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        line.options[&option] = added;
    }
}

void declare_line(Line& line, const std::vector<CommandSpec>& specs) {
    line.app.set_help_flag();
    line.app.allow_windows_style_options(false);
    add_options(line, line.app, specs.front());
    line.version = line.app.add_flag("--version");
    line.completion = line.app.add_flag("--bash-completion");
    for (std::size_t i = 1; i < specs.size(); ++i) {
        CLI::App* sub = line.app.add_subcommand(specs[i].name);
        sub->set_help_flag();
        sub->fallthrough();
        for (const Operand& operand : specs[i].operands)
            line.operands[specs[i].name].emplace_back(&operand, sub->add_option(operand.name));
        add_options(line, *sub, specs[i]);
        line.commands[specs[i].name] = sub;
    }
}

std::vector<std::string> option_names(const CommandSpec& spec) {
    std::vector<std::string> names{"--help"};
    for (const Option& option : spec.options)
        for (std::string& word : option.words()) names.push_back(std::move(word));
    return names;
}

const CommandSpec* chosen(const Line& line, const std::vector<CommandSpec>& specs) {
    for (std::size_t i = 1; i < specs.size(); ++i)
        if (line.commands.at(specs[i].name)->parsed()) return &specs[i];
    return nullptr;
}

std::string see_help(const CommandSpec* command) {
    return "see 'omnisync " + (command ? command->name + " " : std::string{}) + "--help'";
}

[[noreturn]] void refuse_word(const std::string& word, const CommandSpec* command,
                              const std::vector<CommandSpec>& specs) {
    std::string guess;
    if (word.size() > 1 && word[0] == '-') {
        std::vector<std::string> names = option_names(specs.front());
        names.emplace_back("--version");
        if (command)
            for (std::string& name : option_names(*command)) names.push_back(std::move(name));
        const std::string bare = word.substr(0, word.find('='));
        guess = did_you_mean(bare, names);
        if (guess.empty() && word[1] != '-') guess = "a file name that begins with '-' goes after '--'";
        throw Error(ExitCode::usage, concat("unknown option '", bare, "'"), guess.empty() ? see_help(command) : guess);
    }
    if (command) throw Error(ExitCode::usage, concat("one word too many: '", word, "'"), see_help(command));
    std::vector<std::string> names;
    for (std::size_t i = 1; i < specs.size(); ++i) names.push_back(specs[i].name);
    guess = did_you_mean(word, names);
    throw Error(ExitCode::usage, concat("unknown command '", word, "'"), guess.empty() ? see_help(nullptr) : guess);
}

void split(Line& line, const std::vector<std::string>& words, const std::vector<CommandSpec>& specs) {
    try {
        std::vector<std::string> reversed(words.rbegin(), words.rend());  // CLI11 takes them from the back
        line.app.parse(reversed);
    } catch (const CLI::ExtrasError&) {
        const auto extras = line.app.remaining(true);
        refuse_word(extras.empty() ? "?" : extras.front(), chosen(line, specs), specs);
    } catch (const CLI::ArgumentMismatch& error) {
        const std::string what = error.what();
        throw Error(ExitCode::usage, concat(what.substr(0, what.find(':')), " needs a value"),
                    see_help(chosen(line, specs)));
    } catch (const CLI::ParseError& error) {
        throw Error(ExitCode::usage, error.what(), see_help(chosen(line, specs)));
    }
}

struct Value {
    std::string text;
    std::string origin;
    ExitCode blame = ExitCode::usage;
};

std::optional<Value> from_line(const Option& option, const CLI::Option& given) {
    if (given.count() == 0) return std::nullopt;
    if (option.kind == ValueKind::flag) return Value{given.results().back(), "command line"};
    if (option.repeatable) {
        std::string all;
        for (const std::string& one : given.results()) all += (all.empty() ? "" : ";") + one;
        return Value{all, "command line"};
    }
    if (given.count() > 1) throw Error(ExitCode::usage, concat("--", option.long_name(), " is given more than once"));
    return Value{given.results().front(), "command line"};
}

std::optional<Value> from_environment(const Option& option) {
    const char* text = option.configurable ? std::getenv(option.environment().c_str()) : nullptr;
    if (!text || !*text) return std::nullopt;
    return Value{text, "environment " + option.environment()};
}

std::optional<Value> from_file(const Option& option, const std::string& section, const std::vector<ConfigEntry>& file) {
    for (const ConfigEntry& entry : file)
        if (entry.section == section && entry.key == option.long_name())
            return Value{entry.text, entry.place, ExitCode::bad_config};
    return std::nullopt;
}

void assign(const Option& option, const Value& value) {
    try {
        option.assign(value.text);
    } catch (const Error& error) {
        const std::string name = "--" + option.long_name();
        std::string who = name;
        if (value.blame == ExitCode::bad_config) who = value.origin + ": '" + option.long_name() + "'";
        if (value.origin.starts_with("environment ")) who = option.environment() + " in the environment (" + name + ")";
        throw Error(value.blame, who + " " + error.what(), error.hint());
    }
}

// Fills one section's options and notes where each value came from.
void fill(const CommandSpec& spec, const Line& line, const std::vector<ConfigEntry>& file,
          std::vector<OptionOrigin>& origins) {
    for (const Option& option : spec.options) {
        auto value = from_line(option, *line.options.at(&option));
        if (!value) value = from_environment(option);
        if (!value) value = from_file(option, spec.name, file);
        if (value) assign(option, *value);
        if (option.configurable)
            origins.push_back({spec.name, option.long_name(), option.show(), value ? value->origin : "default"});
    }
}

// A value like "--force" after "--output" is a forgotten value, not a file.
void check_values_are_not_options(const Line& line, const CommandSpec& spec, const std::vector<CommandSpec>& specs) {
    auto names = option_names(spec);
    for (const auto& name : option_names(specs.front())) names.push_back(name);
    for (const auto& [option, given] : line.options)
        if (option->kind != ValueKind::flag && given->count() == 1 &&
            std::find(names.begin(), names.end(), given->results().front()) != names.end())
            throw Error(ExitCode::usage,
                        concat("--", option->long_name(), " needs a value, not '", given->results().front(), "'"));
}

void fill_operands(const CommandSpec& spec, const Line& line) {
    const auto found = line.operands.find(spec.name);
    if (found == line.operands.end()) return;
    for (const auto& [operand, given] : found->second) {
        if (given->count() == 0 && operand->optional) continue;
        if (given->count() == 0) throw Error(ExitCode::usage, concat(operand->name, " is missing"), see_help(&spec));
        const std::string& word = given->results().front();
        if (word == "-")
            throw Error(ExitCode::usage, concat(operand->name, " cannot be '-'"),
                        "standard input cannot be read twice or from its end; name a file");
        if (word.empty()) throw Error(ExitCode::usage, concat(operand->name, " is an empty name"), see_help(&spec));
        *operand->target = word;
    }
}

void check_dub(const DubCommand& dub) {
    if (dub.output.path.empty())
        throw Error(ExitCode::usage, "-o OUT is missing: the file to write", "see 'omnisync dub --help'");
    if (dub.output.path == "-")
        throw Error(ExitCode::usage, "the output cannot be '-'",
                    "a file that appears only when it is complete cannot be a pipe; name a file");
    if (!dub.report.empty() && dub.report == dub.output.path)
        throw Error(ExitCode::usage, "--report and --output name the same file");
}

const CommandSpec& spec_of(const std::vector<CommandSpec>& specs, const std::string& name) {
    return *std::find_if(specs.begin(), specs.end(), [&](const CommandSpec& spec) { return spec.name == name; });
}

// What `bench` starts takes its options from environment and file as it would by itself, and from --dub and --eval.
void fill_bench(const Line& line, const std::vector<CommandSpec>& specs, const std::vector<ConfigEntry>& file,
                Invocation& invocation) {
    const CommandSpec& dub = spec_of(specs, "dub");
    std::vector<OptionOrigin> unused;
    fill(dub, line, file, unused);
    assign_named(dub, invocation.bench.dub,
                 {"output", "force", "report", "report-html", "plan", "analysis", "dry-run", "qa", "cache-results"},
                 "--dub");
    assign_named(spec_of(specs, "eval"), invocation.bench.eval,
                 {"reference", "speech", "analysis", "reference-analysis", "qa", "html", "curves", "features", "force"},
                 "--eval");
    invocation.bench.settings = invocation.dub;
    if (invocation.bench.output.empty())
        throw Error(ExitCode::usage, "-o DIR is missing: the folder to write to", "see 'omnisync bench --help'");
}

std::vector<ConfigEntry> load_file(const Line& line, const std::vector<CommandSpec>& specs) {
    for (const Option& option : specs.front().options) {
        if (option.long_name() != "config") continue;
        auto value = from_line(option, *line.options.at(&option));
        if (!value) value = from_environment(option);
        if (value) return read_config(value->text, specs);
    }
    const auto found = find_config();
    return found ? read_config(*found, specs) : std::vector<ConfigEntry>{};
}

// "help dub" is "dub --help".
std::vector<std::string> help_as_option(std::vector<std::string> words) {
    if (words.empty() || words.front() != "help") return words;
    words.erase(words.begin());
    words.emplace_back("--help");
    return words;
}

}  // namespace

Parsed parse(const std::vector<std::string>& words, Invocation& invocation) {
    const std::vector<CommandSpec> specs = declare_commands(invocation);
    Line line;
    declare_line(line, specs);
    split(line, help_as_option(words), specs);
    const CommandSpec* const command = chosen(line, specs);
    if (line.help.at("")->count() > 0 || (command && line.help.at(command->name)->count() > 0))
        return {Request::help, command ? help_text(*command, specs.front()) : help_text(specs.front(), specs)};
    if (line.version->count() > 0) {
        invocation.global.json = line.app.get_option("--json")->count() > 0;
        return {Request::version, {}};
    }
    if (line.completion->count() > 0) return {Request::completion, bash_completion(specs)};
    if (!command) throw Error(ExitCode::usage, "no command given", see_help(nullptr));

    check_values_are_not_options(line, *command, specs);
    const auto file = load_file(line, specs);
    fill(specs.front(), line, file, invocation.origins);
    // `doctor --options` shows every command's options; others look at their own only.
    for (std::size_t i = 1; i < specs.size(); ++i)
        if (&specs[i] == command || command->name == "doctor" ||
            (command->name == "batch" && specs[i].name == "dub"))  // what its jobs do not say themselves
            fill(specs[i], line, file, invocation.origins);
    fill_operands(*command, line);
    if (command->name == "dub") check_dub(invocation.dub);
    if (command->name == "bench") fill_bench(line, specs, file, invocation);
    invocation.command = command->name;
    return {};
}

bool wants_json_messages(const std::vector<std::string>& words) {
    const auto value_of = [&](const std::string& option, const char* variable) -> std::string {
        for (std::size_t i = 0; i < words.size() && words[i] != "--"; ++i) {
            if (words[i].starts_with(option + "=")) return words[i].substr(option.size() + 1);
            if (words[i] == option && i + 1 < words.size()) return words[i + 1];
        }
        const char* text = std::getenv(variable);
        return text ? text : "";
    };
    const std::string format = value_of("--log-format", "OMNISYNC_LOG_FORMAT");
    return format == "json" || (format != "text" && value_of("--progress", "OMNISYNC_PROGRESS") == "json");
}

}  // namespace omnisync::command
