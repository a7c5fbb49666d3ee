// Coded packets of one video stream to pictures, through whatever damage there is.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "media/av.h"
#include "media/input.h"

namespace omnisync::media {

/// Decodes one video stream of an Input in the order of display. Errors are counted, not thrown.
class VideoDecoder {
public:
    /// Throws Error(bad_data) when there is no decoder for the stream.
    VideoDecoder(Input& input, int stream, int threads);

    /// After a seek: pictures are given out even when the decoder is not sure of their references.
    void keep_doubtful() { codec_->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT; }

    /// The next picture, or nothing at the end.
    [[nodiscard]] Picture next();
    /// Forgets what is inside, to go on after a seek.
    void reset();

    [[nodiscard]] std::int64_t lost_packets() const { return lost_packets_; }
    [[nodiscard]] const std::string& first_problem() const { return first_problem_; }

private:
    void feed();
    void note_loss(int code, std::int64_t ticks);

    Input& input_;
    int stream_;
    Codec codec_;
    bool drained_ = false;
    std::int64_t lost_packets_ = 0;
    std::int64_t last_ticks_ = AV_NOPTS_VALUE;
    std::string first_problem_;
};

}  // namespace omnisync::media
