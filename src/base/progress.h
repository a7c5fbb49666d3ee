// How far a job is, for people on a terminal, people with a log file, and programs.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace omnisync {

/// A text stream (stderr) on which whole lines and one passing status line take turns. Thread-safe.
class Console {
public:
    using Write = std::function<void(std::string_view)>;
    /// `width` 0: not a terminal that can redraw a line; status texts are then dropped.
    explicit Console(Write write, int width = 0);

    /// Writes `text` and a line end. A status line steps aside and is drawn again below.
    void line(std::string_view text);
    /// Shows `text` as the status line, cut to the width; "" removes it.
    void status(std::string_view text);
    [[nodiscard]] int width() const { return width_; }

private:
    std::mutex mutex_;
    Write write_;
    int width_;
    std::string status_;
};

enum class ProgressStyle {
    none,
    bar,     ///< one status line, redrawn
    lines,   ///< a line every few seconds
    json,    ///< {"event":"progress",...} lines
    ffmpeg,  ///< key=value blocks as of ffmpeg's -progress
};

/// "bar", "lines", "json", "ffmpeg", "none"; nothing for another word.
[[nodiscard]] std::optional<ProgressStyle> parse_progress_style(std::string_view text) noexcept;

/// One stretch of work. Call from one thread.
class Progress {
public:
    using Clock = std::function<std::chrono::steady_clock::time_point()>;
    /// `console` outlives this object. `clock` replaces the steady clock in tests.
    Progress(Console& console, ProgressStyle style, Clock clock = std::chrono::steady_clock::now);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    /// Removes a bar that is still drawn.
    ~Progress();

    /// Begins to measure. `total_estimate_s` is the length of the output's timeline; 0: unknown. A `stage` is work
    /// before the work: it is named in what is shown, its end is not the end for programs, and of ffmpeg's blocks,
    /// which know no stages, it gives none.
    void start(double total_estimate_s, std::string stage = {});
    /// `done_s` of the timeline and `frames` frames are done. Cheap: draws a few times a second at most.
    void update(double done_s, std::int64_t frames);
    /// Draws the last state; a bar goes away.
    void finish();

    [[nodiscard]] double elapsed_s() const;

private:
    void draw(bool last);
    [[nodiscard]] std::string sentence() const;
    [[nodiscard]] std::string bar_line() const;
    [[nodiscard]] std::string json_line(bool last) const;
    [[nodiscard]] std::string ffmpeg_block(bool last) const;
    [[nodiscard]] double remaining_s() const;

    Console& console_;
    ProgressStyle style_;
    Clock clock_;
    std::chrono::steady_clock::time_point started_{};
    std::chrono::steady_clock::time_point drawn_{};
    std::string stage_;
    double total_s_ = 0;
    double done_s_ = 0;
    std::int64_t frames_ = 0;
    bool running_ = false;
};

}  // namespace omnisync
