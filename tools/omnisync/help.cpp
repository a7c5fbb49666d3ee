// Help and completion, made from the options' own declarations.
#include <algorithm>
#include <sstream>

#include "option.h"

namespace omnisync::command {
namespace {

constexpr std::size_t kWidth = 100;
constexpr std::size_t kIndent = 6;

void append_wrapped(std::string& out, const std::string& text, std::size_t indent) {
    std::istringstream words(text);
    std::string line;
    std::string word;
    const auto flush = [&] {
        if (!line.empty()) out += std::string(indent, ' ') + line + "\n";
        line.clear();
    };
    while (words >> word) {
        if (!line.empty() && indent + line.size() + 1 + word.size() > kWidth) flush();
        line += (line.empty() ? "" : " ") + word;
    }
    flush();
}

void append_option(std::string& out, const Option& option) {
    std::string names = option.names;
    if (const auto comma = names.find(','); comma != std::string::npos) names.insert(comma + 1, " ");
    if (option.deniable) names += ", --no-" + option.long_name();
    out += "  " + names + (option.placeholder.empty() ? "" : " " + option.placeholder) + "\n";
    append_wrapped(out, option.help + (option.default_text.empty() ? "" : " [" + option.default_text + "]"), kIndent);
}

void append_examples(std::string& out, const std::vector<std::string>& examples) {
    out += "\nExamples:\n";
    for (const auto& line : examples) out += "  " + line + "\n";
}

}  // namespace

std::string help_text(const CommandSpec& global, const std::vector<CommandSpec>& commands) {
    std::string out =
        "omnisync redubs video: the person in the picture gets a mouth that speaks another sound track.\n\n"
        "Usage: omnisync [OPTIONS] COMMAND ...\n\nCommands:\n";
    for (const CommandSpec& command : commands)
        if (!command.name.empty())
            out += "  " + command.name + std::string(10 - std::min<std::size_t>(9, command.name.size()), ' ') +
                   command.summary + "\n";
    out += "\nOptions of every command, before or after its name [default]:\n";
    for (const Option& option : global.options) append_option(out, option);
    out += "  -h, --help\n      this text, or that of the command\n";
    out += "  --version\n      version and build, as JSON with --json\n";
    out += "  --bash-completion\n      a completion script for bash on stdout\n";
    out +=
        "\nEvery option NAME can also come from the environment as OMNISYNC_NAME or from the configuration file.\n"
        "Exit codes: 0 done, 64 wrong usage, 65 damaged or unsupported input, 66 input missing, 69 something needed "
        "is\n"
        "unavailable, 70 our own fault, 73 output cannot be created, 74 I/O error, 75 interrupted, 77 not allowed,\n"
        "78 bad configuration.\n";
    append_examples(out, {"omnisync dub film.mp4 speech.wav -o dubbed.mp4 --engine none", "omnisync dub --help"});
    return out;
}

std::string help_text(const CommandSpec& command, const CommandSpec& global) {
    std::string out = "omnisync " + command.name + ": " + command.summary + ".\n";
    if (!command.description.empty()) append_wrapped(out, command.description, 0);
    out += "\nUsage: omnisync " + command.name;
    for (const Operand& operand : command.operands)
        out += operand.optional ? " [" + operand.name + "]" : " " + operand.name;
    out += command.name == "dub" ? " -o OUT [OPTIONS]\n" : " [OPTIONS]\n";
    if (!command.operands.empty()) out += "\n";
    for (const Operand& operand : command.operands) {
        out += "  " + operand.name + "\n";
        append_wrapped(out, operand.help, kIndent);
    }
    out += "\nOptions [default]:\n";
    for (const Option& option : command.options) append_option(out, option);
    out += "\nOptions of every command (see 'omnisync --help'):\n";
    std::string all;
    for (const Option& option : global.options) all += "--" + option.long_name() + " ";
    append_wrapped(out, all, 2);
    append_examples(out, command.examples);
    return out;
}

std::string bash_completion(const std::vector<CommandSpec>& specs) {
    const auto words = [](const CommandSpec& spec) {
        std::string text;
        for (const Option& option : spec.options)
            for (const std::string& word : option.words()) text += word + " ";
        return text + "--help";
    };
    std::string commands;
    std::string options;
    std::string values;
    for (const CommandSpec& spec : specs) {
        if (!spec.name.empty()) {
            commands += spec.name + " ";
            options += "        " + spec.name + ") options=\"" + words(spec) + "\" ;;\n";
        }
        for (const Option& option : spec.options) {
            if (option.choices.empty() || option.kind == ValueKind::flag) continue;
            values += "        --" + option.long_name() + ") COMPREPLY=($(compgen -W \"";
            for (const auto& choice : option.choices) values += choice + " ";
            values += "\" -- \"$word\")); return ;;\n";
        }
    }
    return "_omnisync() {\n"
           "    local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" command=\"\" "
           "options=\"\" i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        case \" " +
           commands +
           "\" in *\" ${COMP_WORDS[i]} \"*) command=\"${COMP_WORDS[i]}\"; break ;; esac\n"
           "    done\n"
           "    case \"$before\" in\n" +
           values +
           "    esac\n"
           "    case \"$command\" in\n" +
           options +
           "        *) options=\"--version --bash-completion\" ;;\n"
           "    esac\n"
           "    if [[ $word == -* ]]; then\n"
           "        COMPREPLY=($(compgen -W \"$options " +
           words(specs.front()) +
           "\" -- \"$word\"))\n"
           "    elif [[ -z $command ]]; then\n"
           "        COMPREPLY=($(compgen -W \"" +
           commands +
           "\" -- \"$word\"))\n"
           "    else\n"
           "        COMPREPLY=($(compgen -f -- \"$word\"))\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _omnisync omnisync\n";
}

}  // namespace omnisync::command
