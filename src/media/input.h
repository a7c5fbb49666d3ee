// An opened media file: which streams it has, which one a player would play, and its packets.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/av.h"

namespace omnisync::media {

/// Reads packets of chosen streams of one file. Single-threaded use.
class Input {
public:
    /// Only regular files are taken (a job reads them several times); only the local file protocol is allowed.
    /// Throws Error: no_input (missing, unreadable, folder, pipe), bad_data (not media).
    explicit Input(const std::string& path);
    Input(const Input&) = delete;
    Input& operator=(const Input&) = delete;
    ~Input();

    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] AVFormatContext& format() const { return *format_; }
    [[nodiscard]] const AVStream& stream(int index) const { return *format_->streams[index]; }
    [[nodiscard]] int stream_count() const { return static_cast<int>(format_->nb_streams); }

    /// The picture stream a player would show; attached pictures and thumbnails are none.
    [[nodiscard]] std::optional<int> video_stream() const;
    /// Sound streams in file order.
    [[nodiscard]] std::vector<int> audio_streams() const;
    /// Sound stream `track` (counted from 0), or the one a player would play for -1.
    [[nodiscard]] std::optional<int> audio_stream(int track) const;

    /// Start of the file's timeline: where its first picture or sound is presented.
    [[nodiscard]] Pts origin() const { return origin_; }

    /// Packets of all other streams are skipped from now on.
    void select(const std::vector<int>& streams);
    /// The next packet of a selected stream; nothing at the end, whatever its reason (see ends_early()).
    [[nodiscard]] Packet read();
    /// Goes to the key frame of `stream` at or before `ticks`; false when the file cannot be sought in.
    bool seek_back_to(int stream, std::int64_t ticks);

    /// True once the end was reached and the file stops before what it promises.
    [[nodiscard]] bool ends_early() const;

private:
    void count(const AVPacket& packet);
    [[nodiscard]] bool index_promises_more() const;

    std::string path_;
    InputFormat format_;
    Pts origin_;
    std::vector<std::int64_t> packets_read_;  // per stream
    int end_code_ = 0;                        // 0 before the end
    bool sought_ = false;
    bool cut_ = false;  // shorter than its first bytes say
};

}  // namespace omnisync::media
