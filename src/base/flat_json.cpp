#include "base/flat_json.h"

#include <nlohmann/json.hpp>

#include "omnisync/error.h"

namespace omnisync {
namespace {

using Json = nlohmann::json;
constexpr int kDeepest = 8;

void flatten(const Json& value, const std::string& name, int depth, const std::string& origin,
             std::map<std::string, double>& found) {
    require(depth <= kDeepest, ExitCode::bad_data, origin, ": nested too deep");
    const std::string prefix = name.empty() ? "" : name + ".";
    if (value.is_object())
        for (const auto& [key, held] : value.items()) flatten(held, prefix + key, depth + 1, origin, found);
    else if (value.is_array())
        for (std::size_t i = 0; i < value.size(); ++i)
            flatten(value[i], prefix + std::to_string(i), depth + 1, origin, found);
    else if (value.is_boolean())
        found[name] = value.get<bool>() ? 1 : 0;
    else if (value.is_number())
        found[name] = value.get<double>();
    else
        require(value.is_string(), ExitCode::bad_data, origin, ": '", name, "' is neither number nor text");
}

}  // namespace

std::map<std::string, double> read_flat_json(std::string_view text, const std::string& origin) {
    const Json document = Json::parse(text.begin(), text.end(), nullptr, false);
    require(document.is_object(), ExitCode::bad_data, origin, ": no JSON object");
    std::map<std::string, double> found;
    flatten(document, "", 0, origin, found);
    return found;
}

}  // namespace omnisync
