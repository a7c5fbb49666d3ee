#include "pipeline/timeline.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "omnisync/error.h"

namespace omnisync {
namespace {

// A moment as people count it: from the start of the film.
std::string in_seconds(Pts moment, Pts origin) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.3f s", seconds(moment) - seconds(origin));
    return text.data();
}

}  // namespace

Timeline::Timeline(std::unique_ptr<FrameSource> first, OpenVideo open, OpenVideoBackward open_backward, SyncMode mode,
                   Pts speech_end, std::optional<Pts> limit)
    : open_(std::move(open)),
      open_backward_(std::move(open_backward)),
      mode_(mode),
      speech_end_(speech_end),
      limit_(limit),
      source_(std::move(first)),
      info_(source_->info()) {}

bool Timeline::ends_with_speech() const {
    return mode_ != SyncMode::silence && mode_ != SyncMode::freeze;
}

std::optional<Frame> Timeline::next() {
    if (done_) return std::nullopt;
    if (!held_) held_ = fetch();
    if (!held_) {
        done_ = true;
        return std::nullopt;
    }
    Frame frame = std::move(*held_);
    held_ = fetch();
    if (held_) {
        frame.duration = held_->pts.ticks - frame.pts.ticks;
    } else {
        done_ = true;
        const std::int64_t left = rescale(end_.ticks, end_.unit, info_.time_base, Rounding::up) - frame.pts.ticks;
        frame.duration = std::clamp<std::int64_t>(left, 1, std::max<std::int64_t>(1, frame.duration));
    }
    return frame;
}

// The next frame on the output's timeline, with the end of the output decided when there is none.
std::optional<Frame> Timeline::fetch() {
    for (;;) {
        std::optional<Frame> frame = fetch_from_source();
        if (!frame) return std::nullopt;
        if (ends_with_speech() && speech_end_ <= frame->pts) {
            if (video_frames_ == 1 && !extended_)
                throw Error(ExitCode::usage, "the speech ends before the picture starts: nothing to show",
                            "--sync silence keeps the whole picture");
            if (!extended_) first_pass_ = source_->report();
            if (!extended_ && mode_ == SyncMode::automatic) mode_ = SyncMode::cut;
            if (sentence_.empty())
                sentence_ =
                    concat("the picture is longer than the speech: cut at ", in_seconds(speech_end_, info_.origin));
            finish(speech_end_);
            return std::nullopt;
        }
        if (limit_ && *limit_ <= frame->pts) {
            if (!extended_) first_pass_ = source_->report();
            finish(*limit_);
            return std::nullopt;
        }
        return frame;
    }
}

std::optional<Frame> Timeline::fetch_from_source() {
    while (run_ != Run::over) {
        if (run_ == Run::standing) {
            standing_->pts.ticks += standing_step();
            if (speech_end_ <= standing_->pts) {
                finish(speech_end_);
                return std::nullopt;
            }
            return standing_;
        }
        std::optional<Frame> frame = source_->next();
        if (frame) {
            frame->number = run_ == Run::backward ? video_frames_ - 2 - run_frames_ : first_number_ + run_frames_;
            ++run_frames_;
        }
        if (!frame) {
            if (run_ == Run::backward && run_frames_ + 1 != video_frames_) refuse_backward();
            if (!turn()) return std::nullopt;
            continue;
        }
        if (!extended_) {
            if (video_frames_++ == 0)
                first_ticks_ = frame->pts.ticks;
            else
                usual_step_ = frame->pts.ticks - last_ticks_;
            last_ticks_ = frame->pts.ticks;
            last_step_ = std::max<std::int64_t>(1, frame->duration);
            if (mode_ == SyncMode::freeze || video_frames_ == 1) standing_ = frame;
        }
        frame->pts.ticks = run_ == Run::backward ? add_ - frame->pts.ticks : frame->pts.ticks + add_;
        return frame;
    }
    return std::nullopt;
}

// A run over the video has ended: begins what the mode wants next, or returns false.
bool Timeline::turn() {
    if (!extended_) {
        first_pass_ = source_->report();
        video_ended();
        if (run_ == Run::over) return false;
        extended_ = true;
    }
    switch (mode_) {
        case SyncMode::loop:
            add_ += last_ticks_ + last_step_ - first_ticks_;
            start_forward(false);
            return true;
        case SyncMode::bounce:
            if (video_frames_ == 1) break;
            run_ == Run::forward ? start_backward() : start_forward(true);
            return true;
        default:
            break;
    }
    if (run_ != Run::standing) {
        run_ = Run::standing;
        standing_->pts.ticks = last_ticks_;
    }
    return true;
}

void Timeline::video_ended() {
    const Pts video_end{last_ticks_ + last_step_, info_.time_base};
    const bool speech_is_longer = video_end < speech_end_;
    const bool backward_works = first_pass_.retimed_frames == 0;
    if (mode_ == SyncMode::automatic)
        mode_ = !speech_is_longer ? SyncMode::cut : backward_works ? SyncMode::bounce : SyncMode::loop;
    if (mode_ == SyncMode::bounce && speech_is_longer && !backward_works) refuse_backward();
    if (!speech_is_longer) {
        if (speech_end_ < video_end)
            sentence_ = ends_with_speech() ? concat("the picture is longer than the speech: cut at ",
                                                    in_seconds(speech_end_, info_.origin))
                                           : "the speech is shorter than the picture: silence follows it";
        return finish(ends_with_speech() ? speech_end_ : video_end);
    }
    const std::string longer = concat("the speech (to ", in_seconds(speech_end_, info_.origin),
                                      ") is longer than the picture (to ", in_seconds(video_end, info_.origin), "): ");
    switch (mode_) {
        case SyncMode::loop:
            sentence_ = longer + "the picture starts again";
            return;
        case SyncMode::bounce:
            sentence_ = longer + "the picture runs backward and forward";
            return;
        case SyncMode::freeze:
            sentence_ = longer + "the last frame stands";
            return;
        default:
            sentence_ = longer + "the end of the speech is cut";
            return finish(video_end);
    }
}

void Timeline::refuse_backward() {
    throw Error(ExitCode::bad_data,
                concat("'", info_.path, "' cannot be read backward: its own timestamps are missing or jump"),
                "use --sync loop or --sync freeze");
}

// A frame that stands is repeated at the picture's own pace. A single frame has only what the file says of rate and
// length.
std::int64_t Timeline::standing_step() const {
    if (usual_step_ > 0) return usual_step_;
    if (!info_.frame_rate.valid()) return last_step_;
    return std::max<std::int64_t>(1, rescale(1, {info_.frame_rate.den, info_.frame_rate.num}, info_.time_base));
}

void Timeline::start_backward() {
    run_frames_ = 0;
    // The frame shown last is the video's last; its image stays at its place and the frames before it follow mirrored.
    add_ += 2 * last_ticks_;
    run_ = Run::backward;
    source_ = open_backward_({last_ticks_, info_.time_base});
}

void Timeline::start_forward(bool skip_first) {
    if (run_ == Run::backward) add_ -= 2 * first_ticks_;
    run_ = Run::forward;
    run_frames_ = 0;
    first_number_ = skip_first ? 1 : 0;
    source_ = open_();
    if (skip_first) (void)source_->next();
}

void Timeline::finish(Pts end) {
    end_ = limit_ && *limit_ < end ? *limit_ : end;
    run_ = Run::over;
}

}  // namespace omnisync
