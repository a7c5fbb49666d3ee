// How a face looks in one frame, as far as its quality is concerned.
#pragma once

#include <array>
#include <cstdint>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::tracking {

/// Bounded and small, since there is one a frame and face until its shot has ended.
struct FaceLook {
    float sharpness = 0;  ///< see FaceQuality
    float light = 0;
    static constexpr int kSide = 16;
    std::array<std::uint8_t, kSide * kSide> lower{};  ///< luma of the lower face, canonical pose: what covers it shows
};

/// `landmarks` in pixels of `picture`; parts beyond its edge are taken from the edge. Never throws, never NaN.
[[nodiscard]] FaceLook look_at_face(const GrayView& picture, const Landmarks& landmarks);

}  // namespace omnisync::tracking
