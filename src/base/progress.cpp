#include "base/progress.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>

#include "base/json.h"
#include "base/text.h"

namespace omnisync {
namespace {

using std::chrono::milliseconds;

constexpr std::array<std::pair<std::string_view, ProgressStyle>, 5> kStyles{{{"none", ProgressStyle::none},
                                                                             {"bar", ProgressStyle::bar},
                                                                             {"lines", ProgressStyle::lines},
                                                                             {"json", ProgressStyle::json},
                                                                             {"ffmpeg", ProgressStyle::ffmpeg}}};

// Often enough to look alive, seldom enough to cost nothing and to keep log files short.
milliseconds interval(ProgressStyle style) {
    switch (style) {
        case ProgressStyle::bar:
            return milliseconds(100);
        case ProgressStyle::lines:
            return milliseconds(5000);
        default:
            return milliseconds(500);
    }
}

// Cuts to `width` columns, counting every code point as one: status lines are plain text of ours.
std::string_view cut(std::string_view text, int width) {
    int columns = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
        if (starts && columns++ == width) return text.substr(0, i);
    }
    return text;
}

}  // namespace

Console::Console(Write write, int width) : write_(std::move(write)), width_(width) {}

void Console::line(std::string_view text) {
    const std::lock_guard lock(mutex_);
    std::string out;
    if (!status_.empty()) out += "\r\x1b[K";
    out += text;
    out += "\n";
    out += status_;
    write_(out);  // in one write, so that lines of several processes do not mix
}

void Console::status(std::string_view text) {
    if (width_ <= 0) return;
    const std::lock_guard lock(mutex_);
    // The last column stays free: some terminals wrap as soon as it is filled.
    const std::string_view shown = cut(text, width_ - 1);
    if (shown.empty() && status_.empty()) return;
    status_ = shown;
    write_("\r" + status_ + "\x1b[K");
}

std::optional<ProgressStyle> parse_progress_style(std::string_view text) noexcept {
    for (const auto& [name, style] : kStyles)
        if (name == text) return style;
    return std::nullopt;
}

Progress::Progress(Console& console, ProgressStyle style, Clock clock)
    : console_(console), style_(style), clock_(std::move(clock)) {}

Progress::~Progress() {
    if (running_ && style_ == ProgressStyle::bar) console_.status("");
}

void Progress::start(double total_estimate_s, std::string stage) {
    stage_ = std::move(stage);
    total_s_ = std::isfinite(total_estimate_s) ? std::max(0.0, total_estimate_s) : 0;
    done_s_ = 0;
    frames_ = 0;
    started_ = drawn_ = clock_();
    running_ = true;
}

void Progress::update(double done_s, std::int64_t frames) {
    done_s_ = done_s;
    frames_ = frames;
    if (running_ && style_ != ProgressStyle::none && clock_() - drawn_ >= interval(style_)) draw(false);
}

void Progress::finish() {
    if (!running_) return;
    running_ = false;
    draw(true);
}

double Progress::elapsed_s() const {
    return std::chrono::duration<double>(clock_() - started_).count();
}

void Progress::draw(bool last) {
    drawn_ = clock_();
    switch (style_) {
        case ProgressStyle::none:
            return;
        case ProgressStyle::bar:
            return console_.status(last ? "" : bar_line());
        case ProgressStyle::lines:
            return console_.line("omnisync: " + sentence());
        case ProgressStyle::json:
            return console_.line(json_line(last));
        case ProgressStyle::ffmpeg:
            if (stage_.empty()) console_.line(ffmpeg_block(last));
            return;
    }
}

double Progress::remaining_s() const {
    if (total_s_ <= 0 || done_s_ <= 0) return std::numeric_limits<double>::quiet_NaN();
    return std::max(0.0, total_s_ - done_s_) * elapsed_s() / done_s_;
}

std::string Progress::sentence() const {
    const double elapsed = std::max(elapsed_s(), 1e-9);
    std::string text = stage_.empty() ? "" : stage_ + ": ";
    // An estimate can be too short: 99 % until the work says that it is done.
    if (total_s_ > 0) {
        const double most = running_ ? 99 : 100;
        text += decimal(running_ ? std::clamp(100 * done_s_ / total_s_, 0.0, most) : 100, 0) + "%  ";
    }
    text += std::to_string(frames_) + " frames  " + decimal(static_cast<double>(frames_) / elapsed, 1) + " frames/s  " +
            decimal(done_s_ / elapsed, 2) + "x";
    if (running_ && total_s_ > 0) text += "  " + clock_text(remaining_s()) + " left";
    if (!running_) text += "  " + clock_text(elapsed);
    return text;
}

std::string Progress::bar_line() const {
    const std::string facts = sentence();
    const int room = console_.width() - static_cast<int>(facts.size()) - 5;
    if (total_s_ <= 0 || room < 10) return facts;
    const int cells = std::min(room, 40);
    const int full = std::clamp(static_cast<int>(cells * done_s_ / total_s_), 0, cells);
    return "[" + std::string(static_cast<std::size_t>(full), '#') +
           std::string(static_cast<std::size_t>(cells - full), '.') + "] " + facts;
}

std::string Progress::json_line(bool last) const {
    const double elapsed = std::max(elapsed_s(), 1e-9);
    json::Object event;
    event.add("event", "progress");
    if (!stage_.empty()) event.add("stage", stage_);
    event.add("state", last && stage_.empty() ? "end" : "continue").add("frames", frames_);
    event.add("time_s", done_s_);
    event.add("total_s", total_s_ > 0 ? total_s_ : std::numeric_limits<double>::quiet_NaN());
    event.add("frames_per_s", static_cast<double>(frames_) / elapsed).add("speed", done_s_ / elapsed);
    event.add("elapsed_s", elapsed).add("remaining_s", last ? 0.0 : remaining_s());
    return event.text();
}

std::string Progress::ffmpeg_block(bool last) const {
    const double elapsed = std::max(elapsed_s(), 1e-9);
    const auto microseconds = static_cast<std::int64_t>(std::llround(done_s_ * 1e6));
    return "frame=" + std::to_string(frames_) + "\nfps=" + decimal(static_cast<double>(frames_) / elapsed, 2) +
           "\nout_time_us=" + std::to_string(microseconds) + "\nspeed=" + decimal(done_s_ / elapsed, 2) +
           "x\nprogress=" + (last ? "end" : "continue");
}

}  // namespace omnisync
