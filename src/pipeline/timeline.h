// The frames of the output in order: the video's own, and what a sync mode adds when the speech is longer.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "omnisync/options.h"
#include "omnisync/stream.h"

namespace omnisync {

/// Yields frames with timestamps of the output's timeline, which begins as the video's own does, and with their number.
/// Within the first pass over the video these are the video's timestamps, untouched.
///
/// With frames 0..n-1, first timestamp a, last timestamp b, end of the last frame V, speech end S:
///   loop    pass r shows frame i at  pts[i] + r (V - a)
///   bounce  after b the video runs back: frame i < n-1 at 2b - pts[i]; then forward again from a's image, and so on.
///           Frames at the turning points are shown once
///   freeze  the last frame is repeated at the last step until S
class Timeline {
public:
    /// `first` is the video, freshly opened; the functions open it again when the mode asks for more of it. `limit`,
    /// when set, ends the output there at the latest.
    Timeline(std::unique_ptr<FrameSource> first, OpenVideo open, OpenVideoBackward open_backward, SyncMode mode,
             Pts speech_end, std::optional<Pts> limit);

    [[nodiscard]] const VideoInfo& info() const { return info_; }
    std::optional<Frame> next();

    // Known once next() has returned nothing:
    [[nodiscard]] Pts end() const { return end_; }
    [[nodiscard]] SyncMode mode_used() const { return mode_; }
    [[nodiscard]] const std::string& sentence() const { return sentence_; }
    [[nodiscard]] const ReadReport& report() const { return first_pass_; }

private:
    enum class Run { forward, backward, standing, over };

    std::optional<Frame> fetch();
    std::optional<Frame> fetch_from_source();
    bool turn();
    void start_backward();
    void start_forward(bool skip_first);
    void finish(Pts end);
    void video_ended();
    void refuse_backward();
    [[nodiscard]] std::int64_t standing_step() const;
    [[nodiscard]] bool ends_with_speech() const;

    OpenVideo open_;
    OpenVideoBackward open_backward_;
    SyncMode mode_;
    Pts speech_end_;
    std::optional<Pts> limit_;

    std::unique_ptr<FrameSource> source_;
    VideoInfo info_;
    ReadReport first_pass_;
    Run run_ = Run::forward;
    std::int64_t add_ = 0;          // forward: shown at pts + add_; backward: at add_ - pts
    std::int64_t first_ticks_ = 0;  // of the video itself
    std::int64_t last_ticks_ = 0;
    std::int64_t last_step_ = 1;     // duration of the video's last frame, as the file says
    std::int64_t usual_step_ = 0;    // from the last frame but one to the last; 0: only one frame
    std::int64_t run_frames_ = 0;    // delivered by the present source
    std::int64_t first_number_ = 0;  // of the frame with which the present run forward began
    std::int64_t video_frames_ = 0;
    bool extended_ = false;          // past the first pass
    std::optional<Frame> standing_;  // what is repeated by freeze
    std::optional<Frame> held_;      // fetched, its duration not yet known
    bool done_ = false;
    Pts end_;
    std::string sentence_;
};

}  // namespace omnisync
