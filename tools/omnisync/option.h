// An option as data: one declaration serves parsing, environment, configuration file, help, completion and `doctor
// --config`.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/value_kind.h"
#include "omnisync/speakers.h"

namespace omnisync::command {

struct Option {
    std::string names;        ///< "--output" or "-o,--output"
    std::string placeholder;  ///< "FILE"; empty for a flag
    std::string help;         ///< one sentence with unit and range
    ValueKind kind = ValueKind::text;
    std::vector<std::string> choices;                ///< empty: any value
    std::string default_text;                        ///< for the help; empty: nothing worth saying
    bool configurable = true;                        ///< may come from the environment and the file
    bool repeatable = false;                         ///< several values; they arrive as one text with ';' between
    bool deniable = false;                           ///< a flag that "--no-NAME" turns off
    std::function<void(const std::string&)> assign;  ///< throws Error(usage) that says what a value must be
    std::function<std::string()> show;               ///< the value it has now

    [[nodiscard]] std::string long_name() const;    ///< without dashes: "output"
    [[nodiscard]] std::string environment() const;  ///< "OMNISYNC_OUTPUT"
    /// With dashes: {"--output"}, {"--mark", "--no-mark"}.
    [[nodiscard]] std::vector<std::string> words() const;

    /// The same option, from the command line only.
    [[nodiscard]] Option command_line_only() && {
        configurable = false;
        return std::move(*this);
    }
    /// The same flag, on unless it is denied.
    [[nodiscard]] Option can_be_denied() && {
        deniable = true;
        default_text = show();
        return std::move(*this);
    }
    /// The same option with a word for its default in place of the empty value.
    [[nodiscard]] Option defaults_to(std::string text) && {
        default_text = std::move(text);
        return std::move(*this);
    }
};

/// The values of a repeatable option, empty ones too, from the text they arrive as.
[[nodiscard]] std::vector<std::string> values_of(const std::string& given);

struct Range {
    double low = -std::numeric_limits<double>::infinity();
    double high = std::numeric_limits<double>::infinity();
};

// Makers: the target outlives the option and holds the default.
Option flag(std::string names, bool& target, std::string help);
Option text(std::string names, std::string placeholder, std::string& target, std::string help);
/// Repeatable, from the command line only.
Option texts(std::string names, std::string placeholder, std::vector<std::string>& target, std::string help);
Option number(std::string names, std::string placeholder, double& target, Range range, std::string help);
Option number(std::string names, std::string placeholder, std::optional<double>& target, Range range, std::string help);
Option integer(std::string names, std::string placeholder, int& target, Range range, std::string help);
Option choice(std::string names, std::vector<std::string> choices, std::string& target, std::string help);
/// --speaker and --qa, for the commands that have them.
Option speaker_option(std::optional<SpeakerChoice>& target);
Option qa_option(std::string& target);

/// An operand: a word on the command line without an option's name. Those that may be left out come last.
struct Operand {
    std::string name;  ///< "VIDEO"
    std::string help;
    std::string* target = nullptr;
    bool optional = false;
};

struct CommandSpec {
    std::string name;         ///< empty for the global options
    std::string summary;      ///< one line
    std::string description;  ///< a paragraph; may be empty
    std::vector<Operand> operands;
    std::vector<Option> options;
    std::vector<std::string> examples;  ///< "# what for" or a command line each
};

struct Invocation;
struct PrepareCommand;
struct TrainCommand;
struct ValidateCommand;
struct ModelsCommand;
struct BatchCommand;
struct EvalCommand;
struct BenchCommand;
struct CacheCommand;

// In a file of their own.
CommandSpec declare_prepare(PrepareCommand& prepare);
CommandSpec declare_train(TrainCommand& train);
CommandSpec declare_validate(ValidateCommand& validate);
CommandSpec declare_models(ModelsCommand& models);
CommandSpec declare_batch(BatchCommand& batch);
CommandSpec declare_eval(EvalCommand& eval);
CommandSpec declare_bench(BenchCommand& bench);
CommandSpec declare_cache(CacheCommand& cache);

/// The global options first, then every command; bound to the fields of `invocation`, which outlives the result.
std::vector<CommandSpec> declare_commands(Invocation& invocation);

[[nodiscard]] std::string help_text(const CommandSpec& global, const std::vector<CommandSpec>& commands);
[[nodiscard]] std::string help_text(const CommandSpec& command, const CommandSpec& global);
/// A bash completion script.
[[nodiscard]] std::string bash_completion(const std::vector<CommandSpec>& specs);

}  // namespace omnisync::command
