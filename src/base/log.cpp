#include "base/log.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>

namespace omnisync::log {
namespace {

constexpr std::array<std::string_view, 5> kNames{"debug", "info", "warn", "error", "off"};

// One per process: a log that had to be handed through every call would be handed through every call.
struct State {
    std::mutex mutex;
    Sink sink;
    std::atomic<Level> least{Level::off};
};

State& state() {
    // Never destroyed: threads of foreign libraries may log while the process ends.
    static State& one = *new State;
    return one;
}

}  // namespace

std::string_view name(Level level) noexcept {
    return kNames[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) noexcept {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        if (text == kNames[i]) return static_cast<Level>(i);
    }
    return std::nullopt;
}

void set_sink(Sink sink, Level least) {
    State& log = state();
    const std::lock_guard lock(log.mutex);
    log.least = sink ? least : Level::off;
    log.sink = std::move(sink);
}

bool enabled(Level level) noexcept {
    return level != Level::off && level >= state().least.load(std::memory_order_relaxed);
}

void write(Level level, std::string_view message) noexcept {
    if (!enabled(level)) return;
    State& log = state();
    try {
        const std::lock_guard lock(log.mutex);
        if (log.sink) log.sink(level, message);
    } catch (...) {
        return;  // a log that cannot be written must not end the work that it describes
    }
}

}  // namespace omnisync::log
