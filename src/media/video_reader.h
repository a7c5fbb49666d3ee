// A video file as a FrameSource, forward.
#pragma once

#include "media/pixels.h"
#include "media/video_decoder.h"
#include "omnisync/media.h"

namespace omnisync::media {

/// What a stream and its first decoded picture say together.
[[nodiscard]] VideoInfo describe_video(const Input& input, int stream, const AVFrame& first);

class VideoReader final : public FrameSource {
public:
    VideoReader(const std::string& path, const ReadOptions& options);

    [[nodiscard]] const VideoInfo& info() const override { return info_; }
    std::optional<Frame> next() override;
    [[nodiscard]] ReadReport report() const override;

private:
    [[nodiscard]] Picture decode();
    [[nodiscard]] std::int64_t time_of(const AVFrame& picture);
    [[nodiscard]] std::int64_t duration_of(const AVFrame& picture, std::int64_t ticks,
                                           std::optional<std::int64_t> next_ticks) const;

    ReadOptions options_;
    Input input_;
    int stream_;
    VideoDecoder decoder_;
    Picture ahead_;                 // decoded, not yet delivered
    std::int64_t ahead_ticks_ = 0;  // its timestamp
    VideoInfo info_;
    PictureConverter converter_;
    std::optional<std::int64_t> last_ticks_;
    std::int64_t last_step_ = 0;  // between the last two frames; 0 before there are two
    std::int64_t shift_ = 0;      // added since the timestamps jumped back (joined recordings)
    ReadReport report_;
};

}  // namespace omnisync::media
