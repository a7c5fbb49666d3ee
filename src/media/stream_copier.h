// Everything of the source that is not edited: other sound, subtitles, data, attachments, pictures, chapters, tags.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "media/input.h"
#include "media/packet_producer.h"
#include "omnisync/stream.h"

namespace omnisync::media {

/// Copies streams of one input, packet by packet.
class StreamCopier final : public PacketProducer {
public:
    explicit StreamCopier(const std::string& path) : input_(path) {}

    [[nodiscard]] Input& input() { return input_; }

    /// Why `stream` cannot be copied to `container`; nothing when it can.
    [[nodiscard]] std::optional<std::string> obstacle(int stream, const Container& container) const;
    /// Adds an output stream that gets this stream's packets. Call before OutputFile::begin().
    AVStream& add(int stream, OutputFile& output);

    /// Packets are taken from the input only from here on.
    void start(OutputFile& output);
    void produce(OutputFile& output, Pts until) override;
    void finish(OutputFile& output, Pts end) override { write_until(output, end, true); }

    [[nodiscard]] bool ended() const { return ended_; }
    /// Packets copied of an input stream so far, and where the last of them ends, in the stream's unit.
    [[nodiscard]] std::int64_t packets(int stream) const;
    [[nodiscard]] std::int64_t end_of(int stream) const;

private:
    struct Progress {
        std::int64_t next = 0;  // where an untimed packet would stand
        std::int64_t end = 0;   // of the furthest packet
        std::int64_t packets = 0;
        bool untimed = false;  // its packets carry no decoding times
    };
    void write_until(OutputFile& output, Pts until, bool last);
    [[nodiscard]] Packet take();

    Input input_;
    std::map<int, int> targets_;  // input stream -> output stream
    std::map<int, Progress> progress_;
    bool ended_ = false;
    Packet waiting_;
};

/// Tags that describe how the source was coded, which the result is not.
[[nodiscard]] bool is_coding_tag(const std::string& key);
/// Copies all tags but those.
void copy_tags(const AVDictionary* from, AVDictionary** to);
/// Copies chapters that begin before `end_us`, cut there, and moved by `shift_us` (all in microseconds).
struct ChapterBounds {
    std::int64_t end_us;
    std::int64_t shift_us;
};
void copy_chapters(const AVFormatContext& from, AVFormatContext& to, ChapterBounds bounds);
/// Whether MP4's classic tags cannot hold all of `tags`.
[[nodiscard]] bool has_custom_tags(const AVDictionary* tags);

}  // namespace omnisync::media
