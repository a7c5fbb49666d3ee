// The job: a video, a speech, an output.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "omnisync/engine.h"
#include "omnisync/media.h"
#include "omnisync/options.h"
#include "omnisync/stream.h"

namespace omnisync {

/// One job as the pipeline needs it. The functions open real files in the command and anything else in tests.
struct Job {
    OpenVideo open_video;
    OpenVideoBackward open_video_backward;  ///< asked only by SyncMode::bounce
    SpeechInfo speech;
    SyncOptions sync;
    std::function<std::unique_ptr<FrameSink>(const VideoInfo&)> create_output;
    /// Given each frame of the output and its place among them, returns what is written; may be empty.
    std::function<Frame(const Frame&, std::int64_t number)> edit;
    double preview_s = 0;                                 ///< > 0: stop after that much of the output's timeline
    std::function<void(const Frame&, Pts end)> on_frame;  ///< called after each written frame; may be empty
};

/// Neighbouring pictures of the output with one fate.
struct EditSpan {
    double start_s = 0;  ///< of the output's timeline
    double end_s = 0;
    bool edited = false;
    std::string reason;  ///< why not, in words; empty when edited
};
/// Which of the pictures an engine edits for this cast, in order and without gaps; `end_s`: of the output.
[[nodiscard]] std::vector<EditSpan> edit_spans(const Analysis& analysis, const Cast& cast,
                                               const std::vector<Shown>& shown, double end_s);

/// The same for one role: the pictures that show its `track`, with gaps where they do not.
[[nodiscard]] std::vector<EditSpan> edit_spans(const FaceTrack& track, const Role& role,
                                               const std::vector<Shown>& shown, double end_s);

/// What was done, for people and programs.
struct DubReport {
    VideoInfo video;
    SpeechInfo speech;
    SyncMode sync_used = SyncMode::cut;  ///< automatic resolved
    std::string sync_sentence;           ///< one line: what happened because the lengths differ
    ReadReport read;
    WriteReport written;
    Pts end;                      ///< end of the output on its timeline
    std::vector<EditSpan> spans;  ///< filled in by whoever set Job::edit
};

/// The pictures that run() will write, in order, known from the timestamps of the video's frames alone (`pts`, in
/// `video.time_base`): the same timeline over frames without pixels. Throws what run() throws of it.
[[nodiscard]] std::vector<Shown> pictures_of(const Job& job, const VideoInfo& video,
                                             const std::vector<std::int64_t>& pts);

/// The frames that run() will write, before Job::edit, in order.
[[nodiscard]] std::unique_ptr<FrameSource> open_pictures(const Job& job);

/// Runs one job from end to end: reading, editing and writing overlap; memory does not grow with length.
/// Throws Error(interrupted) soon after request_stop().
[[nodiscard]] DubReport run(const Job& job);

/// Asks every running job of this process to stop at the next frame. Async-signal-safe.
void request_stop() noexcept;
[[nodiscard]] bool stop_requested() noexcept;

}  // namespace omnisync
