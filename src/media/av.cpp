#include "media/av.h"

extern "C" {
#include <libavutil/log.h>
#include <libswresample/swresample.h>
#include <libswscale/swscale.h>
}

#include <array>
#include <cstdarg>
#include <map>
#include <mutex>
#include <string_view>

#include "base/log.h"

namespace omnisync::media {
namespace {

// libav's log callback is process-wide, so this record has to be as well.
struct EarlyEnds {
    std::mutex mutex;  // guards `seen`
    std::map<const void*, bool> seen;
};

EarlyEnds& early_ends() {
    static EarlyEnds instance;
    return instance;
}

bool tells_early_end(std::string_view text) {
    for (const std::string_view sign : {"ended prematurely", "partial file", "Truncating packet", "truncated"})
        if (text.find(sign) != std::string_view::npos) return true;
    return false;
}

void receive_message(void* context, int level, const char* format, va_list arguments) {
    if (level > AV_LOG_INFO) return;
    std::array<char, 1024> line{};
    int print_prefix = 1;
    av_log_format_line2(context, level, format, arguments, line.data(), line.size(), &print_prefix);
    std::string_view text(line.data());
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
    if (level <= AV_LOG_WARNING && tells_early_end(text)) {
        EarlyEnds& ends = early_ends();
        const std::lock_guard lock(ends.mutex);
        if (const auto found = ends.seen.find(context); found != ends.seen.end()) found->second = true;
    }
    log::write(log::Level::debug, text);
}

}  // namespace

void free_resampler(SwrContext* context) noexcept {
    swr_free(&context);
}
void free_scaler(SwsContext* context) noexcept {
    sws_freeContext(context);
}

Packet make_packet() {
    Packet packet(av_packet_alloc());
    if (!packet) throw std::bad_alloc();
    return packet;
}

Picture make_picture() {
    Picture picture(av_frame_alloc());
    if (!picture) throw std::bad_alloc();
    return picture;
}

Picture clone(const AVFrame& frame) {
    Picture copy(av_frame_clone(&frame));
    if (!copy) throw std::bad_alloc();
    return copy;
}

std::string error_text(int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(code, text.data(), text.size());
    return text.data();
}

int check(int result, ExitCode code, const std::string& doing) {
    require(result >= 0, code, doing, ": ", error_text(result));
    return result;
}

ExitCode exit_code_of(int result) noexcept {
    switch (result) {
        case AVERROR(ENOENT):
        case AVERROR(EACCES):
        case AVERROR(EISDIR):
            return ExitCode::no_input;
        case AVERROR(EIO):
        case AVERROR(ENOSPC):
        case AVERROR(EFBIG):
            return ExitCode::io;
        default:
            return ExitCode::bad_data;
    }
}

void capture_log() {
    static const bool done = [] {
        av_log_set_callback(receive_message);
        return true;
    }();
    (void)done;
}

void watch_for_early_end(const void* context) {
    EarlyEnds& ends = early_ends();
    const std::lock_guard lock(ends.mutex);
    ends.seen[context] = false;
}

bool early_end_was_logged(const void* context) {
    EarlyEnds& ends = early_ends();
    const std::lock_guard lock(ends.mutex);
    const auto found = ends.seen.find(context);
    return found != ends.seen.end() && found->second;
}

void unwatch(const void* context) {
    EarlyEnds& ends = early_ends();
    const std::lock_guard lock(ends.mutex);
    ends.seen.erase(context);
}

}  // namespace omnisync::media
