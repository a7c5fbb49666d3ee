// The interfaces at which the media library, the engines and the pipeline meet. std only, so that each builds without
// the others.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "omnisync/frame.h"
#include "omnisync/time.h"

namespace omnisync {

enum class FieldOrder { progressive, top_first, bottom_first, unknown };

/// What a video stream says of itself before a frame is decoded.
struct VideoInfo {
    std::string path;
    std::string codec;  ///< FFmpeg's codec name
    int width = 0;      ///< coded picture as decoded, before rotation
    int height = 0;
    PixelFormat format;
    Colour colour;
    Rational sample_aspect{0, 1};  ///< 0/1: unknown, treat as square
    Rational time_base{1, 1};      ///< unit of every frame's pts
    Rational frame_rate{0, 1};     ///< nominal; 0/1: unknown. For people and encoders, never for time
    FieldOrder field_order = FieldOrder::progressive;
    int rotation = 0;                ///< degrees clockwise to turn the picture for display: 0, 90, 180, 270
    bool mirrored = false;           ///< flip horizontally after turning
    Pts origin;                      ///< start of the file's timeline: where its first stream (picture or sound) starts
    double duration_estimate_s = 0;  ///< from the header; 0: unknown. Never trusted
    std::int64_t frames_estimate = 0;  ///< from the header; 0: unknown. Never trusted
};

/// What was met while reading. Complete once the source has returned its end.
struct ReadReport {
    std::int64_t frames = 0;          ///< frames delivered
    std::int64_t damaged_frames = 0;  ///< of these, concealed by the decoder
    std::int64_t lost_packets = 0;    ///< coded packets that gave no picture because of damage
    std::int64_t resized_frames = 0;  ///< frames whose size or format changed midway and were converted back
    std::int64_t retimed_frames = 0;  ///< timestamps that were missing or went back and were made up or moved
    bool ends_early = false;          ///< the file stops before what its header or index promises
    std::string first_problem;        ///< in words, with its time; empty when there was none
};

/// Frames in the order of display. Single-threaded use. next() throws Error (io, bad_data) when nothing can be read at
/// all; damage in the middle is concealed, counted in report(), and does not throw.
class FrameSource {
public:
    virtual ~FrameSource() = default;
    [[nodiscard]] virtual const VideoInfo& info() const = 0;
    /// The next frame, or nothing at the end. Timestamps strictly increase (strictly decrease in a backward source).
    virtual std::optional<Frame> next() = 0;
    [[nodiscard]] virtual ReadReport report() const = 0;
};

/// Opens the same video once more, from its first frame.
using OpenVideo = std::function<std::unique_ptr<FrameSource>()>;
/// Opens the same video to be read backward: the frames shown before the given moment, latest first.
using OpenVideoBackward = std::function<std::unique_ptr<FrameSource>(Pts before)>;

/// What happened to one stream of the input, for the report.
struct StreamFate {
    int index = 0;     ///< in the input
    std::string kind;  ///< "video", "audio", "subtitle", "data", "attachment"
    std::string codec;
    std::string fate;    ///< "re-encoded", "replaced", "copied", "kept", "dropped"
    std::string reason;  ///< in words; empty when plain
};

/// What was written. Times are those of the output's timeline.
struct WriteReport {
    std::int64_t frames = 0;
    std::int64_t bytes = 0;
    Pts end;                    ///< of the picture and the new sound
    std::string container;      ///< FFmpeg's muxer name
    std::string video_encoder;  ///< name and settings, as given to the encoder
    std::string sound;          ///< how the new sound got in: "copied (aac)", "encoded (aac, 256 kb/s)"
    std::string time_rule;      ///< how timestamps map to the input's: "equal", or the shift and unit in words
    std::string mark;           ///< where the file says that it was edited by a model, in words; empty: nowhere
    std::vector<StreamFate> streams;
    std::vector<std::string> warnings;
};

/// Takes frames in the order of display. Nothing appears under the output's name before finish() returns;
/// destroying an unfinished sink removes what was written.
class FrameSink {
public:
    virtual ~FrameSink() = default;
    /// Frames must have strictly increasing pts in the unit of the VideoInfo the sink was made for.
    virtual void write(Frame frame) = 0;
    /// Ends the picture and the sound at `end` (the sound may end before it by itself), publishes the file.
    virtual WriteReport finish(Pts end) = 0;
};

/// Speech as the engines want it: mono float samples in [-1, 1] at a fixed rate, starting at the speech file's own time
/// zero. Gaps in the file are silence. Band-limited resampling; channels mixed down by ITU-R BS.775 weights.
class SpeechSource {
public:
    virtual ~SpeechSource() = default;
    [[nodiscard]] virtual int rate_hz() const = 0;
    /// Fills `samples` from the front; returns how many, less than asked only at the end.
    virtual std::size_t read(std::span<float> samples) = 0;
};

}  // namespace omnisync
