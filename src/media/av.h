// FFmpeg's libraries, owned and checked. Everything that depends on their version is in this pair of files.
#pragma once

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/avutil.h>
#include <libavutil/channel_layout.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libavutil/pixdesc.h>
}

#include <memory>
#include <string>
#include <type_traits>

#include "omnisync/error.h"
#include "omnisync/time.h"

struct SwrContext;
struct SwsContext;

namespace omnisync::media {

/// Deleter for libav's two styles of free function (T* and T**).
template <auto Free>
struct Closer {
    template <class T>
    void operator()(T* object) const noexcept {
        if constexpr (std::is_invocable_v<decltype(Free), T**>)
            Free(&object);
        else
            Free(object);
    }
};

void free_resampler(SwrContext* context) noexcept;
void free_scaler(SwsContext* context) noexcept;

using Packet = std::unique_ptr<AVPacket, Closer<av_packet_free>>;
using Picture = std::unique_ptr<AVFrame, Closer<av_frame_free>>;  ///< also a block of sound
using Codec = std::unique_ptr<AVCodecContext, Closer<avcodec_free_context>>;
using InputFormat = std::unique_ptr<AVFormatContext, Closer<avformat_close_input>>;
using OutputFormat = std::unique_ptr<AVFormatContext, Closer<avformat_free_context>>;
using Resampler = std::unique_ptr<SwrContext, Closer<free_resampler>>;
using Scaler = std::unique_ptr<SwsContext, Closer<free_scaler>>;

/// Key-value options for libav calls; owns what the call leaves unused.
class Dictionary {
public:
    Dictionary() = default;
    Dictionary(const Dictionary&) = delete;
    Dictionary& operator=(const Dictionary&) = delete;
    ~Dictionary() { av_dict_free(&entries_); }

    void set(const std::string& key, const std::string& value) {
        av_dict_set(&entries_, key.c_str(), value.c_str(), 0);
    }
    [[nodiscard]] AVDictionary** out() { return &entries_; }
    /// The first key that the call did not know; empty when it took all.
    [[nodiscard]] std::string unused_key() const {
        const AVDictionaryEntry* entry = av_dict_get(entries_, "", nullptr, AV_DICT_IGNORE_SUFFIX);
        return entry ? entry->key : "";
    }

private:
    AVDictionary* entries_ = nullptr;
};

[[nodiscard]] Packet make_packet();
[[nodiscard]] Picture make_picture();
[[nodiscard]] Picture clone(const AVFrame& frame);

/// FFmpeg's words for an error code.
[[nodiscard]] std::string error_text(int code);

/// Throws Error(code) with `doing` and FFmpeg's words when `result` is negative; returns it otherwise.
int check(int result, ExitCode code, const std::string& doing);

/// The exit code that fits a failed read or write: io for the system's faults, bad_data for the file's.
[[nodiscard]] ExitCode exit_code_of(int result) noexcept;

[[nodiscard]] inline Rational rational(AVRational value) {
    return {value.num, value.den};
}
[[nodiscard]] inline AVRational av_rational(Rational value) {
    return {static_cast<int>(value.num), static_cast<int>(value.den)};
}

/// Sends libav's messages to the log at debug level, once per process. Counts messages that say that a file stops
/// before its promised end: they are the only sign some demuxers give.
void capture_log();
/// How many such messages the given context has caused since it was watched.
void watch_for_early_end(const void* context);
[[nodiscard]] bool early_end_was_logged(const void* context);
void unwatch(const void* context);

}  // namespace omnisync::media
