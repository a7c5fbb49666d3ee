// A video file as a FrameSource, backward. The file is decoded forward in portions that end where the last one began;
// a portion holds so many pictures as the budget allows, so the distance of key frames costs time and not memory.
#include <algorithm>
#include <deque>
#include <limits>

#include "media/video_decoder.h"
#include "media/video_reader.h"

namespace omnisync::media {
namespace {

constexpr std::int64_t kBudgetBytes = 192LL << 20;

std::size_t portion_size(const VideoInfo& info) {
    const std::int64_t bytes = 2LL * info.width * info.height * (info.format.bits > 8 ? 2 : 1) + 1;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(kBudgetBytes / bytes, 4, 256));
}

class VideoRewinder final : public FrameSource {
public:
    VideoRewinder(const std::string& path, Pts before, const ReadOptions& options)
        : input_(path),
          stream_(input_.video_stream().value_or(-1)),
          info_(open_video(path, options)->info()),
          decoder_((input_.select({stream_}), input_), stream_, options.threads),
          converter_(info_.width, info_.height, av_get_pix_fmt(info_.format.name.c_str())),
          upper_(rescale(before.ticks, before.unit, info_.time_base)) {
        // H.264 with open groups of pictures: the decoder would hold back good pictures after the key frame too. The
        // ones that do lack references stand before it and are dropped here.
        decoder_.keep_doubtful();
    }

    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    [[nodiscard]] ReadReport report() const override { return report_; }

    std::optional<Frame> next() override {
        if (portion_.empty() && !over_) fill();
        if (portion_.empty()) return std::nullopt;
        Frame frame = std::move(portion_.back());
        portion_.pop_back();
        ++report_.frames;
        return frame;
    }

private:
    void fill() {
        // From the nearest key frame; when that yields nothing before upper_, from further back, at last from the
        // start.
        const std::int64_t second = std::max<std::int64_t>(1, rescale(1, {1, 1}, info_.time_base));
        for (std::int64_t back = 1; portion_.empty() && !over_; back = std::max(second, back * 4)) {
            const bool from_start = back > second * 100000;
            over_ = from_start;
            if (seek(from_start ? std::numeric_limits<std::int64_t>::min() / 2 : upper_ - back)) collect(from_start);
        }
        if (!portion_.empty()) {
            over_ = false;
            upper_ = portion_.front().pts.ticks;
        }
    }

    bool seek(std::int64_t ticks) {
        const bool done = input_.seek_back_to(stream_, ticks);
        decoder_.reset();
        return done;
    }

    void collect(bool from_start) {
        std::optional<std::int64_t> key;  // pictures before the first key frame lack their references
        while (Picture picture = decoder_.next()) {
            const std::int64_t ticks = picture->best_effort_timestamp;
            if (!key && (picture->key_frame || from_start)) key = ticks;
            if (ticks == AV_NOPTS_VALUE || !key || ticks < *key) continue;
            if (ticks >= upper_) break;
            if (!converter_.fits(*picture)) picture = converter_.convert(*picture);
            if (!portion_.empty()) portion_.back().duration = ticks - portion_.back().pts.ticks;
            portion_.push_back(to_frame(std::move(picture), {ticks, info_.time_base}, 0));
            if (portion_.size() > portion_size(info_)) portion_.pop_front();
        }
        if (!portion_.empty()) portion_.back().duration = upper_ - portion_.back().pts.ticks;
    }

    Input input_;
    int stream_;
    VideoInfo info_;
    VideoDecoder decoder_;
    PictureConverter converter_;
    std::int64_t upper_;         // everything from here on was delivered
    std::deque<Frame> portion_;  // ascending; delivered from the back
    bool over_ = false;
    ReadReport report_;
};

}  // namespace
}  // namespace omnisync::media

namespace omnisync {

std::unique_ptr<FrameSource> open_video_backward(const std::string& path, Pts before, const ReadOptions& options) {
    return std::make_unique<media::VideoRewinder>(path, before, options);
}

}  // namespace omnisync
