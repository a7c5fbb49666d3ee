#include "option.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/json.h"
#include "base/text.h"
#include "omnisync/error.h"

namespace omnisync::command {
namespace {

// "a number from 0 to 63", "a number of at least 0", "a whole number"
std::string describe(std::string_view what, Range range) {
    std::string text(what);
    const bool low = range.low != Range{}.low;
    const bool high = range.high != Range{}.high;
    if (low && high) text += " from " + json::number(range.low) + " to " + json::number(range.high);
    if (low && !high) text += " of at least " + json::number(range.low);
    if (!low && high) text += " of at most " + json::number(range.high);
    return text;
}

[[noreturn]] void refuse(const std::string& needed, const std::string& given, std::string hint = {}) {
    throw Error(ExitCode::usage, concat("must be ", needed, ", not '", given, "'"), std::move(hint));
}

double parse_in(Range range, const std::string& given) {
    const auto value = parse_number(given);
    if (!value || *value < range.low || *value > range.high) refuse(describe("a number", range), given);
    return *value;
}

Option make(std::string names, std::string placeholder, std::string help, ValueKind kind) {
    Option option;
    option.names = std::move(names);
    option.placeholder = std::move(placeholder);
    option.help = std::move(help);
    option.kind = kind;
    return option;
}

Option with_default(Option option) {
    option.default_text = option.show();
    return option;
}

}  // namespace

std::string Option::long_name() const {
    return names.substr(names.rfind("--") + 2);
}

std::string Option::environment() const {
    std::string name = "OMNISYNC_" + long_name();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char letter) { return letter == '-' ? '_' : static_cast<char>(std::toupper(letter)); });
    return name;
}

std::vector<std::string> Option::words() const {
    std::vector<std::string> all{"--" + long_name()};
    if (deniable) all.push_back("--no-" + long_name());
    return all;
}

std::vector<std::string> values_of(const std::string& given) {
    std::vector<std::string> values;
    for (std::size_t start = 0; start <= given.size();) {
        const std::size_t end = std::min(given.find(';', start), given.size());
        values.push_back(given.substr(start, end - start));
        start = end + 1;
    }
    return values;
}

Option flag(std::string names, bool& target, std::string help) {
    Option option = make(std::move(names), "", std::move(help), ValueKind::flag);
    option.choices = {"true", "false"};
    option.assign = [&target](const std::string& given) {
        const auto is_any = [&](std::initializer_list<const char*> words) {
            return std::any_of(words.begin(), words.end(), [&](const char* word) { return given == word; });
        };
        if (is_any({"true", "1", "yes", "on"})) {
            target = true;
        } else if (is_any({"false", "0", "no", "off"})) {
            target = false;
        } else {
            refuse("true or false", given);
        }
    };
    option.show = [&target] { return target ? "true" : "false"; };
    return option;
}

Option text(std::string names, std::string placeholder, std::string& target, std::string help) {
    Option option = make(std::move(names), std::move(placeholder), std::move(help), ValueKind::text);
    option.assign = [&target](const std::string& given) {
        if (given.empty()) throw Error(ExitCode::usage, "must not be empty");
        target = given;
    };
    option.show = [&target] { return target; };
    return with_default(std::move(option));
}

Option texts(std::string names, std::string placeholder, std::vector<std::string>& target, std::string help) {
    Option option = make(std::move(names), std::move(placeholder), std::move(help), ValueKind::text);
    option.repeatable = true;
    option.assign = [&target](const std::string& given) { target = values_of(given); };
    option.show = [&target] {
        std::string all;
        for (const std::string& one : target) all += (all.empty() ? "" : ";") + one;
        return all;
    };
    return std::move(option).command_line_only();
}

Option number(std::string names, std::string placeholder, double& target, Range range, std::string help) {
    Option option = make(std::move(names), std::move(placeholder), std::move(help), ValueKind::number);
    option.assign = [&target, range](const std::string& given) { target = parse_in(range, given); };
    option.show = [&target] { return json::number(target); };
    return with_default(std::move(option));
}

Option number(std::string names, std::string placeholder, std::optional<double>& target, Range range,
              std::string help) {
    Option option = make(std::move(names), std::move(placeholder), std::move(help), ValueKind::number);
    option.assign = [&target, range](const std::string& given) { target = parse_in(range, given); };
    option.show = [&target] { return target ? json::number(*target) : std::string{}; };
    return with_default(std::move(option));
}

Option integer(std::string names, std::string placeholder, int& target, Range range, std::string help) {
    Option option = make(std::move(names), std::move(placeholder), std::move(help), ValueKind::integer);
    option.assign = [&target, range](const std::string& given) {
        const auto value = parse_integer(given);
        if (!value || static_cast<double>(*value) < range.low || static_cast<double>(*value) > range.high)
            refuse(describe("a whole number", range), given);
        target = static_cast<int>(*value);
    };
    option.show = [&target] { return std::to_string(target); };
    return with_default(std::move(option));
}

Option choice(std::string names, std::vector<std::string> choices, std::string& target, std::string help) {
    std::string placeholder;
    for (const auto& word : choices) placeholder += (placeholder.empty() ? "" : "|") + word;
    Option option = make(std::move(names), placeholder, std::move(help), ValueKind::text);
    option.choices = choices;
    option.assign = [&target, choices, placeholder](const std::string& given) {
        if (std::find(choices.begin(), choices.end(), given) == choices.end())
            refuse("one of " + placeholder, given, did_you_mean(given, choices));
        target = given;
    };
    option.show = [&target] { return target; };
    return with_default(std::move(option));
}

}  // namespace omnisync::command
