// The media edge of the engine: files in, files out. Implemented on FFmpeg's libraries; nothing of theirs shows here.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "omnisync/options.h"
#include "omnisync/stream.h"

namespace omnisync {

struct ReadOptions {
    int threads = 0;      ///< decoder threads; 0: as many as the machine has
    bool strict = false;  ///< damage and early ends are errors (bad_data) instead of counts
};

/// Opens the video stream a player would show (attached pictures are not video).
/// Throws Error: no_input (missing, unreadable), bad_data (not media, no video, nothing decodes).
[[nodiscard]] std::unique_ptr<FrameSource> open_video(const std::string& path, const ReadOptions& options = {});

/// The same stream read backward: the frames shown before `before`, latest first, with the timestamps and pixels of
/// forward reading. Memory is bounded whatever the distance of key frames (it decodes in portions).
[[nodiscard]] std::unique_ptr<FrameSource> open_video_backward(const std::string& path, Pts before,
                                                               const ReadOptions& options = {});

/// Opens a sound track of any media file as mono speech at `rate_hz`. `track` counts sound tracks from 0; -1 is the
/// one a player would play. Throws Error as open_video; bad_data also for sound without samples.
[[nodiscard]] std::unique_ptr<SpeechSource> open_speech(const std::string& path, int rate_hz, int track = -1);

/// What is known of the speech after decoding it once from end to end.
struct SpeechInfo {
    std::string path;
    std::string codec;
    int rate_hz = 0;
    int channels = 0;
    std::int64_t samples = 0;           ///< per channel, gaps included, from the file's time zero
    std::int64_t repaired_samples = 0;  ///< NaN or infinite, taken as 0
    double peak = 0;                    ///< largest magnitude; 0: digital silence
    bool ends_early = false;
    [[nodiscard]] Pts duration() const { return {samples, {1, rate_hz}}; }
};
/// `stop` is asked now and then; when it says true, Error(interrupted) is thrown.
[[nodiscard]] SpeechInfo inspect_speech(const std::string& path, int track = -1,
                                        const std::function<bool()>& stop = {});

/// Prepares the output file for `video` (as opened from its path) with the sound of `speech`. The sink copies every
/// other stream, tag and chapter of the video's file. Throws Error: cannot_create, not_allowed (output is an input),
/// usage (options that contradict the container), unavailable (encoder missing).
[[nodiscard]] std::unique_ptr<FrameSink> create_output(const VideoInfo& video, const SpeechInfo& speech,
                                                       const SyncOptions& sync, const OutputOptions& options);

/// The same without decoding: the coded picture is copied as it is and only the sound is new. The picture keeps its own
/// length, so `sync` must be silence. `stop` is asked now and then; when it says true, Error(interrupted) is thrown.
/// Throws Error as create_output; usage also when the container cannot take the picture's codec.
[[nodiscard]] WriteReport copy_with_sound(const VideoInfo& video, const SpeechInfo& speech, const SyncOptions& sync,
                                          const OutputOptions& options, const std::function<bool()>& stop);

}  // namespace omnisync
