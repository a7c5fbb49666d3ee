// The data path of a job, from top to bottom. Start reading here.
#include "omnisync/dubber.h"

#include <cmath>
#include <optional>

#include "omnisync/error.h"
#include "pipeline/prefetcher.h"
#include "pipeline/timeline.h"

namespace omnisync {
namespace {

constexpr std::size_t kFramesAhead = 8;  // hides the decoder's jitter; a frame of 4K video takes 12 to 25 MB

std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from signal handlers");

Pts speech_end(const Job& job, const VideoInfo& video) {
    const SpeechInfo& speech = job.speech;
    return {first_sample(job.sync, video.origin, speech.rate_hz) + speech.samples, {1, speech.rate_hz}};
}

std::optional<Pts> preview_limit(const Job& job, const VideoInfo& video) {
    if (job.preview_s <= 0) return std::nullopt;
    constexpr Rational kMicrosecond{1, 1000000};
    return Pts{rescale(video.origin.ticks, video.origin.unit, kMicrosecond) + std::llround(job.preview_s * 1e6),
               kMicrosecond};
}

Timeline open_timeline(const Job& job) {
    std::unique_ptr<FrameSource> video = job.open_video();
    const Pts end_of_speech = speech_end(job, video->info());
    const std::optional<Pts> limit = preview_limit(job, video->info());
    return Timeline(std::move(video), job.open_video, job.open_video_backward, job.sync.mode, end_of_speech, limit);
}

}  // namespace

DubReport run(const Job& job) {
    Timeline timeline = open_timeline(job);
    const std::unique_ptr<FrameSink> sink = job.create_output(timeline.info());

    const Pts end_of_speech = speech_end(job, timeline.info());
    Prefetcher<Frame> frames([&] { return timeline.next(); }, kFramesAhead);
    while (std::optional<Frame> frame = frames.next()) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        sink->write(*frame);
        if (job.on_frame) job.on_frame(*frame, end_of_speech);
    }
    frames.stop();

    DubReport report;
    report.video = timeline.info();
    report.speech = job.speech;
    report.sync_used = timeline.mode_used();
    report.sync_sentence = timeline.sentence();
    report.read = timeline.report();
    report.end = timeline.end();
    report.written = sink->finish(timeline.end());
    return report;
}

void request_stop() noexcept {
    stop_flag = true;
}
bool stop_requested() noexcept {
    return stop_flag;
}

}  // namespace omnisync
