// What goes into which container: the table that docs/formats.md explains.
#pragma once

#include <string>
#include <vector>

#include "media/av.h"

namespace omnisync::media {

/// One kind of output file.
struct Container {
    const AVOutputFormat* format = nullptr;
    AVCodecID usual_video = AV_CODEC_ID_NONE;  ///< when the source's codec does not fit
    AVCodecID usual_sound = AV_CODEC_ID_NONE;
    bool mp4_family = false;          ///< edit lists, time scales, a display matrix
    bool matroska_family = false;     ///< millisecond timestamps
    bool starts_late = false;         ///< MPEG streams: decoding times must be well above 0
    bool decoding_from_zero = false;  ///< no decoding time may be below 0, of priming sound neither
    int sound_rate_hz = 0;            ///< the only sample rate it takes; 0: any
    bool fixed_rate = false;          ///< frames are counted, not timed (AVI)
    bool display_matrix = false;      ///< can say that the picture is rotated

    [[nodiscard]] std::string name() const { return format->name; }
    /// Whether streams of this codec may be written, as far as FFmpeg's tables know.
    [[nodiscard]] bool takes(AVCodecID codec) const;
};

/// Chooses by the output's extension; one that names no container falls back to the source's family.
/// Throws Error(usage) for extensions of something that is not a video container.
[[nodiscard]] Container container_for(const std::string& output_path, const AVInputFormat& source);

}  // namespace omnisync::media
