#include "named_options.h"

#include <algorithm>

#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

const Option& option_named(const CommandSpec& spec, const std::string& name, const std::string& who) {
    std::vector<std::string> names;
    for (const Option& option : spec.options) {
        if (option.long_name() == name) return option;
        names.push_back(option.long_name());
    }
    throw Error(ExitCode::usage, concat(who, ": '", spec.name, "' has no option '", name, "'"),
                did_you_mean(name, names));
}

}  // namespace

void assign_named(const CommandSpec& spec, const std::vector<std::string>& given, const std::vector<std::string>& own,
                  const std::string& through) {
    std::vector<std::string> seen;
    for (const std::string& word : given) {
        const std::string name = word.substr(0, word.find('='));
        const std::string who = concat(through, " '", one_line(word), "'");
        const Option& option = option_named(spec, name, who);
        if (std::find(own.begin(), own.end(), name) != own.end())
            throw Error(ExitCode::usage, concat(who, ": '", name, "' is not to be chosen here"));
        if (std::find(seen.begin(), seen.end(), name) != seen.end())
            throw Error(ExitCode::usage, concat(who, ": '", name, "' is given more than once"));
        seen.push_back(name);
        if (word.size() == name.size() && option.kind != ValueKind::flag)
            throw Error(ExitCode::usage, concat(who, ": a value is missing, NAME=VALUE"));
        try {
            option.assign(word.size() == name.size() ? "true" : word.substr(name.size() + 1));
        } catch (const Error& error) {
            throw Error(ExitCode::usage, concat(who, ": ", name, ' ', error.what()), error.hint());
        }
    }
}

}  // namespace omnisync::command
