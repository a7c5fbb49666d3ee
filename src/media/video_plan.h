// How the picture will be encoded: the choice of encoder, pixel format and quality, made before the first frame.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "media/containers.h"
#include "omnisync/options.h"
#include "omnisync/stream.h"

namespace omnisync::media {

struct VideoPlan {
    const AVCodec* encoder = nullptr;
    AVPixelFormat format = AV_PIX_FMT_NONE;
    std::map<std::string, std::string> options;  ///< private options of the encoder
    double quality = -1;                         ///< >= 0: fixed quantiser of the classic codecs
    std::vector<std::string> warnings;           ///< where the result differs in kind from the source

    /// For the report: "libx264 crf=15 preset=faster yuv420p".
    [[nodiscard]] std::string describe() const;
};

/// Same codec family, pixel format and so on as the source unless `options` say otherwise or the container refuses.
/// Throws Error: usage (options contradict), unavailable (no such encoder here).
[[nodiscard]] VideoPlan plan_video(const VideoInfo& video, const AVCodecParameters& source, const Container& container,
                                   const VideoEncodeOptions& options);

}  // namespace omnisync::media
