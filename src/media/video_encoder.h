// Pictures to coded packets that carry the pictures' own timestamps, whatever the encoder thinks of time.
#pragma once

#include <cstdint>
#include <deque>

#include "media/pixels.h"
#include "media/video_plan.h"

namespace omnisync::media {

/// Encodes one video stream.
///
/// Many encoders count frames, need a nominal rate, or limit the time base. So each frame goes in with its index as its
/// time, in units of the nominal frame rate, and each packet gets the time of the frame with its index when it comes
/// out. Decoding times map alike; those before the first frame are spaced by its duration.
class VideoEncoder {
public:
    /// `first` is the first picture to be encoded: it tells field order and HDR data.
    VideoEncoder(const VideoInfo& video, const VideoPlan& plan, bool global_header, int threads, const AVFrame& first);

    [[nodiscard]] const AVCodecContext& context() const { return *codec_; }

    /// Takes a picture; after the last one call drain().
    void send(Picture picture, std::int64_t ticks, std::int64_t duration);
    void drain();
    /// The next packet, its times in the unit of the VideoInfo; nothing when more pictures are needed or all is out.
    [[nodiscard]] Packet receive();

private:
    struct Moment {
        std::int64_t ticks;
        std::int64_t duration;
    };
    [[nodiscard]] std::int64_t ticks_of(std::int64_t index) const;
    void forget_before(std::int64_t index);

    Codec codec_;
    PictureConverter converter_;
    AVPixelFormat range_twin_;  // what the encoder calls the pixel format
    double quality_;
    std::deque<Moment> moments_;  // of frames base_, base_ + 1, ...
    std::int64_t base_ = 0;
    Moment first_{0, 1};
};

}  // namespace omnisync::media
