// A small front for logging: any layer may write, only the command decides where it goes.
#pragma once

#include <functional>
#include <optional>
#include <sstream>
#include <string_view>

namespace omnisync::log {

enum class Level { debug, info, warn, error, off };

[[nodiscard]] std::string_view name(Level level) noexcept;
/// Nothing for an unknown name.
[[nodiscard]] std::optional<Level> parse_level(std::string_view text) noexcept;

/// Takes one message without a line end. Called by one thread at a time; must not log itself.
using Sink = std::function<void(Level, std::string_view message)>;

/// Sends messages of `least` and above to `sink`. Without a sink, the default, every message is dropped.
void set_sink(Sink sink, Level least = Level::debug);

/// Whether a message of this level would reach the sink: ask before making an expensive message.
[[nodiscard]] bool enabled(Level level) noexcept;

/// Thread-safe. A sink that throws loses the message, nothing else.
void write(Level level, std::string_view message) noexcept;

/// Joins its arguments as `operator<<` would print them, only when somebody listens.
template <class... Parts>
void print(Level level, const Parts&... parts) {
    if (!enabled(level)) return;
    std::ostringstream text;
    (text << ... << parts);
    write(level, text.str());
}

template <class... Parts>
void debug(const Parts&... parts) {
    print(Level::debug, parts...);
}
template <class... Parts>
void info(const Parts&... parts) {
    print(Level::info, parts...);
}
template <class... Parts>
void warn(const Parts&... parts) {
    print(Level::warn, parts...);
}
template <class... Parts>
void error(const Parts&... parts) {
    print(Level::error, parts...);
}

}  // namespace omnisync::log
