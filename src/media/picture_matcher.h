// Pictures of two videos brought to one form, so that they can be put side by side or subtracted.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "media/pixels.h"
#include "media/upright.h"
#include "omnisync/picture.h"

namespace omnisync::media {

/// The form to which pictures are brought.
struct PictureForm {
    Size size;
    AVPixelFormat format = AV_PIX_FMT_NONE;
    bool upright = false;  ///< turned and mirrored as for display; else as stored
};

/// As `a` is stored, when `b` is turned like it; else upright. In a format that PSNR can be taken of.
[[nodiscard]] PictureForm form_to_measure(const VideoInfo& a, const VideoInfo& b);
/// Upright, in 4:2:0 of 8 or 10 bits, in even size: what every encoder takes and every player shows.
[[nodiscard]] PictureForm form_to_show(const VideoInfo& a);

/// In which ways the pictures of `b` are of another kind than those of `a`, in words.
[[nodiscard]] std::vector<std::string> differences(const VideoInfo& a, const VideoInfo& b);

/// Brings the frames of one video to a form. Scaling is bicubic; colours are not converted.
class PictureMatcher {
public:
    PictureMatcher(const VideoInfo& video, const PictureForm& form);
    [[nodiscard]] Picture match(const Frame& frame);

private:
    Orientation how_;
    std::optional<PictureConverter> planar_;  ///< before turning
    PictureConverter converter_;
};

}  // namespace omnisync::media
