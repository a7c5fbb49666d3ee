// Two videos in one: side by side, or their difference.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "media/output_file.h"
#include "media/picture_matcher.h"
#include "media/video_encoder.h"
#include "omnisync/options.h"

namespace omnisync::media {

enum class ComparisonMode {
    side,       ///< A left, B right
    difference  ///< grey: the sum of all components' absolute differences, kAmplified times
};
inline constexpr int kAmplified = 8;

/// Writes pictures with A's timestamps, size and depth; where A's picture is stored turned, the result is upright.
/// The file obeys the rules of OutputFile.
class ComparisonVideo {
public:
    /// Throws Error: as OutputFile; usage for names that are not of a video.
    ComparisonVideo(const VideoInfo& a, const VideoInfo& b, ComparisonMode mode, const std::string& path,
                    bool overwrite, int threads);

    /// `b` is the frame of B that is on show at a's time; nothing before B's first one.
    void write(const Frame& a, const std::optional<Frame>& b);
    /// Returns the size of the published file in bytes.
    std::int64_t finish();
    /// The encoder with its settings.
    [[nodiscard]] std::string describe() const { return plan_.describe(); }

private:
    void begin(const AVFrame& first, Pts pts);
    void pump();

    PictureForm form_;
    PictureMatcher match_a_;
    PictureMatcher match_b_;
    ComparisonMode mode_;
    VideoInfo video_;  // of the result
    Container container_;
    VideoPlan plan_;
    OutputFile output_;
    int threads_;
    std::unique_ptr<VideoEncoder> encoder_;
};

}  // namespace omnisync::media
