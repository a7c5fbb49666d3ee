// The smallest JSON writer: one object on one line, members in the order in which they were added.
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace omnisync::json {

/// `text` as a JSON string with its quotation marks. Bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string quote(std::string_view text);

/// A JSON number; "null" for what JSON has no number for (NaN, infinities). At most six decimals, no exponent.
[[nodiscard]] std::string number(double value);

/// For events on a stream; big documents are made with nlohmann-json by the command.
class Object {
public:
    Object& add(std::string_view name, std::string_view text) { return add_raw(name, quote(text)); }
    Object& add(std::string_view name, const char* text) { return add_raw(name, quote(text)); }
    Object& add(std::string_view name, double value) { return add_raw(name, number(value)); }
    Object& add(std::string_view name, std::same_as<bool> auto value) {
        return add_raw(name, value ? "true" : "false");
    }
    template <std::integral Integer>
    requires(!std::same_as<Integer, bool>) Object& add(std::string_view name, Integer value) {
        return add_raw(name, std::to_string(value));
    }
    /// `value` is JSON already.
    Object& add_raw(std::string_view name, std::string_view value);

    /// "{...}" without a line end.
    [[nodiscard]] std::string text() const { return "{" + members_ + "}"; }

private:
    std::string members_;
};

}  // namespace omnisync::json
