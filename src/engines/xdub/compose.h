// A made face back in its picture.
#pragma once

#include "engines/xdub/crop.h"
#include "engines/xdub/image.h"
#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::xdub {

/// What of the made face is taken.
enum class Taken {
    lower_face,  ///< mouth, chin and moving jaw: everything else stays the source's
    all          ///< the whole square, as the released program pastes it
};

/// The source of the model's picture: what `box` shows of `frame`, `width` x `height`, 8 bits.
[[nodiscard]] Rgb8 model_picture(const Frame& frame, const VideoInfo& video, const Box& box, int width, int height);

/// Blends `made` into the `box` of `frame`, which has pixels of its own, at the frame's own resolution; samples outside
/// what is taken keep their bits. `upright`: the size of the picture that `box` lies in.
void compose(const Frame& frame, const VideoInfo& video, Size upright, const Box& box, const FaceFrame& face,
             const Rgb8& made, Taken taken);

}  // namespace omnisync::xdub
