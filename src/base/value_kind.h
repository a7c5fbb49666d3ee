// What the value of an option is, on the command line, in a configuration file and in a job file.
#pragma once

#include <string_view>

namespace omnisync {

enum class ValueKind { flag, integer, number, text };

/// What such a value must be, for people: "a whole number".
[[nodiscard]] constexpr std::string_view kind_name(ValueKind kind) {
    switch (kind) {
        case ValueKind::flag:
            return "true or false";
        case ValueKind::integer:
            return "a whole number";
        case ValueKind::number:
            return "a number";
        case ValueKind::text:
            return "a text";
    }
    return "?";
}

}  // namespace omnisync
