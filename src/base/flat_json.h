// A JSON file of numbers, for sizes and settings that are not a user's to type.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace omnisync {

/// {"a": {"b": 1, "c": [2, 3]}} is "a.b", "a.c.0", "a.c.1"; true and false are 1 and 0. Texts are left out.
/// Throws Error(bad_data) for what is no such JSON object.
[[nodiscard]] std::map<std::string, double> read_flat_json(std::string_view text, const std::string& origin);

}  // namespace omnisync
