// Text for people: names that stay on one line, suggestions, lengths of time and sizes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace omnisync {

/// The same text on one line: control characters and bytes that are not UTF-8 become \n, \t or \xNN. A backslash stays.
[[nodiscard]] std::string one_line(std::string_view text);

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string valid_utf8(std::string_view text);

/// The candidate that a person most likely meant by `word`, if any is near.
[[nodiscard]] std::optional<std::string> closest(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean 'WORD'?" or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The whole of `text` as a finite number, with "." as decimal sign whatever the locale.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);

/// "0:07", "12:34", "1:02:03". Negative and unknown (NaN) lengths are "-:--".
[[nodiscard]] std::string clock_text(double seconds);

/// "512 B", "1.5 MiB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// A number with `digits` decimals, "." as decimal sign whatever the locale.
[[nodiscard]] std::string decimal(double value, int digits);

}  // namespace omnisync
