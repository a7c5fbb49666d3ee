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

/// Frames that are nothing but timestamps.
class BareFrames final : public FrameSource {
public:
    BareFrames(VideoInfo info, const std::vector<std::int64_t>& pts, std::int64_t next, std::int64_t step)
        : info_(std::move(info)), pts_(pts), next_(next), step_(step) {}

    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    std::optional<Frame> next() override {
        const auto count = static_cast<std::int64_t>(pts_.size());
        if (next_ < 0 || next_ >= count) return std::nullopt;
        Frame frame;
        frame.pts = {pts_[static_cast<std::size_t>(next_)], info_.time_base};
        const std::int64_t other = next_ + 1 < count ? next_ : next_ - 1;
        frame.duration =
            other >= 0 ? pts_[static_cast<std::size_t>(other + 1)] - pts_[static_cast<std::size_t>(other)] : 1;
        next_ += step_;
        return frame;
    }
    [[nodiscard]] ReadReport report() const override { return {}; }

private:
    VideoInfo info_;
    const std::vector<std::int64_t>& pts_;
    std::int64_t next_;
    std::int64_t step_;
};

class Pictures final : public FrameSource {
public:
    explicit Pictures(const Job& job) : timeline_(open_timeline(job)) {}
    [[nodiscard]] const VideoInfo& info() const override { return timeline_.info(); }
    std::optional<Frame> next() override { return timeline_.next(); }
    [[nodiscard]] ReadReport report() const override { return timeline_.report(); }

private:
    Timeline timeline_;
};

}  // namespace

std::unique_ptr<FrameSource> open_pictures(const Job& job) {
    return std::make_unique<Pictures>(job);
}

std::vector<Shown> pictures_of(const Job& job, const VideoInfo& video, const std::vector<std::int64_t>& pts) {
    const auto count = static_cast<std::int64_t>(pts.size());
    const OpenVideo open = [&] { return std::make_unique<BareFrames>(video, pts, 0, 1); };
    const OpenVideoBackward open_backward = [&](Pts) {
        return std::make_unique<BareFrames>(video, pts, count - 2, -1);
    };
    Timeline timeline(open(), open, open_backward, job.sync.mode, speech_end(job, video), preview_limit(job, video));
    std::vector<Shown> shown;
    while (const std::optional<Frame> frame = timeline.next()) shown.push_back({frame->number, seconds(frame->pts)});
    return shown;
}

DubReport run(const Job& job) {
    Timeline timeline = open_timeline(job);
    const std::unique_ptr<FrameSink> sink = job.create_output(timeline.info());

    const Pts end_of_speech = speech_end(job, timeline.info());
    Prefetcher<Frame> frames([&] { return timeline.next(); }, kFramesAhead);
    for (std::int64_t number = 0; std::optional<Frame> frame = frames.next(); ++number) {
        if (stop_requested()) throw Error(ExitCode::interrupted, "interrupted; nothing was written");
        sink->write(job.edit ? job.edit(*frame, number) : *frame);
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
