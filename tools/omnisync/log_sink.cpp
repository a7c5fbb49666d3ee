#include "log_sink.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"

namespace omnisync::command {
namespace {

spdlog::level::level_enum spdlog_level(log::Level level) {
    switch (level) {
        case log::Level::debug:
            return spdlog::level::debug;
        case log::Level::info:
            return spdlog::level::info;
        case log::Level::warn:
            return spdlog::level::warn;
        case log::Level::error:
            return spdlog::level::err;
        case log::Level::off:
            return spdlog::level::off;
    }
    return spdlog::level::off;
}

std::string_view word(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::info:
            return "note";
        case spdlog::level::warn:
            return "warning";
        default:
            return "error";
    }
}

// Pattern flag %*: our word for the level.
class LevelWord : public spdlog::custom_flag_formatter {
public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
        const std::string_view text = word(message.level);
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<LevelWord>();
    }
};

class JsonFormatter : public spdlog::formatter {
public:
    void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
        json::Object event;
        event.add("event", "log").add("level", word(message.level));
        event.add("message", std::string_view(message.payload.data(), message.payload.size()));
        const std::string text = event.text();
        out.append(text.data(), text.data() + text.size());
    }
    [[nodiscard]] std::unique_ptr<spdlog::formatter> clone() const override {
        return std::make_unique<JsonFormatter>();
    }
};

// base/log.h calls its sink with one thread at a time, so no mutex of spdlog's.
class ConsoleSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
public:
    ConsoleSink(Console& console, bool colour) : console_(console), colour_(colour) {}

protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t buffer;
        formatter_->format(message, buffer);
        std::string text(buffer.data(), buffer.size());
        if (colour_ && message.color_range_end > message.color_range_start) {
            text.insert(message.color_range_end, "\x1b[0m");
            text.insert(message.color_range_start, message.level >= spdlog::level::err    ? "\x1b[31m"
                                                   : message.level == spdlog::level::warn ? "\x1b[33m"
                                                                                          : "\x1b[2m");
        }
        console_.line(text);
    }
    void flush_() override {}

private:
    Console& console_;
    bool colour_;
};

std::unique_ptr<spdlog::formatter> make_formatter(const Global& global) {
    if (global.json_messages()) return std::make_unique<JsonFormatter>();
    auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::local, "");
    const bool with_time = global.log_level == log::Level::debug;
    formatter->add_flag<LevelWord>('*').set_pattern(with_time ? "omnisync: %H:%M:%S.%e %^%*%$: %v"
                                                              : "omnisync: %^%*%$: %v");
    return formatter;
}

}  // namespace

void install_log_sink(Console& console, const Global& global, bool colour) {
    auto sink = std::make_shared<ConsoleSink>(console, colour);
    sink->set_formatter(make_formatter(global));
    auto logger = std::make_shared<spdlog::logger>("omnisync", std::move(sink));
    logger->set_level(spdlog::level::debug);
    log::Level least = global.log_level;
    if (global.quiet && least == log::Level::info) least = log::Level::warn;
    const bool as_json = global.json_messages();
    log::set_sink(
        [logger = std::move(logger), as_json](log::Level level, std::string_view message) {
            // One message is one line: JSON escapes by itself.
            const std::string text = as_json ? std::string(message) : one_line(message);
            logger->log(spdlog_level(level), spdlog::string_view_t(text.data(), text.size()));
        },
        least);
}

void remove_log_sink() {
    log::set_sink({});
}

}  // namespace omnisync::command
