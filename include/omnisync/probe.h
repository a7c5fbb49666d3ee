// What a media file says of itself, stream by stream, and what `dub` would do with it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "omnisync/frame.h"
#include "omnisync/stream.h"
#include "omnisync/time.h"

namespace omnisync {

using Tags = std::vector<std::pair<std::string, std::string>>;  ///< in the file's order; keys may repeat

struct StreamProbe {
    int index = 0;
    std::string kind;       ///< "video", "audio", "subtitle", "data", "attachment", "unknown"
    std::string codec;      ///< FFmpeg's name
    std::string profile;    ///< empty: none known
    std::string codec_tag;  ///< the container's own name of the codec; empty: none
    std::string language;
    std::string title;
    std::vector<std::string> disposition;  ///< FFmpeg's names: "default", "forced", "attached_pic", ...
    std::vector<std::string> extras;       ///< side data in the header, FFmpeg's names: "Display Matrix", ...
    Tags tags;                             ///< all of them, language and title too
    Rational time_base{1, 1};
    std::optional<Pts> start;   ///< as the container says, before encoder priming is taken off
    double duration_s = 0;      ///< by the header; 0: unknown
    std::int64_t frames = 0;    ///< by the header; 0: unknown
    std::int64_t bit_rate = 0;  ///< by the header; 0: unknown
    int width = 0, height = 0;  ///< pictures only, as stored
    std::string pixel_format;   ///< pictures only
    int rate_hz = 0;            ///< the rest: sound only
    int channels = 0;
    std::string channel_layout;      ///< "stereo", "5.1(side)", ...
    std::string sample_format;       ///< FFmpeg's name as decoded
    int bits = 0;                    ///< of a coded sample; 0: the codec has none
    int priming_samples = 0;         ///< that the encoder put before the sound proper and players drop
    std::int64_t payload_bytes = 0;  ///< attachments only
};

struct ChapterProbe {
    Pts start;
    Pts end;
    std::string title;
    Tags tags;
};

struct MediaProbe {
    std::string path;
    std::string format;       ///< FFmpeg's demuxer name, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
    std::string format_name;  ///< in words
    double duration_s = 0;    ///< by the header; 0: unknown
    std::int64_t bit_rate = 0;
    Tags tags;
    std::string source_type;  ///< IPTC's digital source type (a URI) that tags or XMP name; empty: none
    std::vector<StreamProbe> streams;
    std::vector<ChapterProbe> chapters;
    std::vector<std::string> programs;    ///< services of a transport stream, by name
    std::optional<int> video;             ///< index of the stream a player would show
    std::optional<int> audio;             ///< ... and would play
    Pts origin;                           ///< start of the file's timeline, as VideoInfo::origin
    std::optional<double> audio_start_s;  ///< where that sound's first sample is heard, priming taken off
};

/// Reads headers, and as many packets as it takes to know the streams. Throws Error: no_input, bad_data (not media).
[[nodiscard]] MediaProbe probe_media(const std::string& path);

/// SMPTE ST 2086: what the picture was graded on. Chromaticities are CIE 1931 x, y; luminances cd/m2.
struct MasteringDisplay {
    double red[2]{}, green[2]{}, blue[2]{}, white[2]{};
    bool has_primaries = false;
    double min_luminance = 0, max_luminance = 0;
    bool has_luminance = false;
};
/// CTA-861.3, cd/m2.
struct ContentLight {
    unsigned max_cll = 0;
    unsigned max_fall = 0;
};
struct Hdr {
    std::optional<MasteringDisplay> mastering;
    std::optional<ContentLight> light;
};
/// From the frame (of open_video) itself.
[[nodiscard]] Hdr hdr_of(const Frame& frame);

/// Names of H.273 code points, as FFmpeg spells them ("bt709", "smpte2084"); "unspecified" for 2, "reserved" for
/// what no edition names.
[[nodiscard]] std::string primaries_name(int code_point);
[[nodiscard]] std::string transfer_name(int code_point);
[[nodiscard]] std::string matrix_name(int code_point);

/// A running summary of timestamps. Memory does not grow with their number.
class TimestampSummary {
public:
    void add(const Frame& frame);

    [[nodiscard]] std::int64_t frames() const { return frames_; }
    [[nodiscard]] std::int64_t first() const { return first_; }  ///< ticks; 0 while frames() is 0
    [[nodiscard]] std::int64_t last() const { return last_; }
    [[nodiscard]] std::int64_t last_duration() const { return last_duration_; }
    /// Ticks between neighbours; 0 while there are fewer than two frames.
    [[nodiscard]] std::int64_t shortest_step() const { return shortest_; }
    [[nodiscard]] std::int64_t longest_step() const { return longest_; }
    /// Steps differ by one tick at most, which is what rounding to the time base does to an even rate.
    [[nodiscard]] bool constant_rate() const { return longest_ - shortest_ <= 1; }
    /// Frames a second over the whole; 0 while there are fewer than two frames.
    [[nodiscard]] double average_rate(Rational unit) const;
    /// The most frequent steps with their counts, most frequent first, at most `most`. Exact while there are no more
    /// than 256 different steps; those that came later are then not listed.
    [[nodiscard]] std::vector<std::pair<std::int64_t, std::int64_t>> common_steps(std::size_t most) const;

private:
    std::int64_t frames_ = 0;
    std::int64_t first_ = 0;
    std::int64_t last_ = 0;
    std::int64_t last_duration_ = 0;
    std::int64_t shortest_ = 0;
    std::int64_t longest_ = 0;
    std::map<std::int64_t, std::int64_t> steps_;
};

/// What `dub` would write by default for an output of the same name elsewhere.
struct DubForecast {
    std::string container;             ///< FFmpeg's muxer
    std::string video_encoder;         ///< name and settings
    std::vector<std::string> changes;  ///< where the result would differ in kind from the source, in words
    std::string obstacle;              ///< why it would refuse, in words; empty: it would not
};
[[nodiscard]] DubForecast forecast_dub(const VideoInfo& video);

}  // namespace omnisync
