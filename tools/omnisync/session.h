// What a running command has at hand: where to talk, how to show progress, whether it was told to stop.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/progress.h"
#include "command.h"

namespace omnisync::command {

/// One per process. Installs the log sink; removes it when destroyed.
class Session {
public:
    explicit Session(const Global& global);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    [[nodiscard]] const Global& global() const { return global_; }
    /// For `Progress progress(session.console(), session.progress_style())`.
    [[nodiscard]] Console& console() const { return *console_; }
    [[nodiscard]] ProgressStyle progress_style() const { return style_; }

    /// A line for people on stdout; nothing with --quiet or --json.
    void say(std::string_view line) const;
    /// A result on stdout as it is, with a line end. Throws Error(io) when it cannot be written.
    void result(std::string_view text) const;

private:
    const Global& global_;
    std::unique_ptr<Console> console_;
    ProgressStyle style_ = ProgressStyle::none;
};

/// Whether `descriptor` is a terminal that obeys cursor movements.
[[nodiscard]] bool is_capable_terminal(int descriptor);

/// Seconds on a clock that never goes back; where it begins says nothing.
[[nodiscard]] double now_s();

}  // namespace omnisync::command
