// Planes of samples, the right way up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "media/av.h"
#include "omnisync/stream.h"

namespace omnisync::media {

/// How a stored picture becomes the one to be seen: turned clockwise by 0, 90, 180 or 270 degrees, then mirrored.
struct Orientation {
    int rotation = 0;
    bool mirrored = false;

    [[nodiscard]] bool upright() const { return rotation == 0 && !mirrored; }
    [[nodiscard]] bool swaps_sides() const { return rotation == 90 || rotation == 270; }
    friend bool operator==(const Orientation&, const Orientation&) = default;
};

[[nodiscard]] inline Orientation orientation_of(const VideoInfo& video) {
    return {video.rotation, video.mirrored};
}

struct ConstPlane {
    const std::uint8_t* data;
    std::ptrdiff_t stride;  ///< bytes
    int width;              ///< samples
    int height;
};

/// Copies `from` to `to` as it is to be seen. Samples have `bytes` bytes (1 to 4); `to` is a plane of the turned size.
void turn(const ConstPlane& from, std::uint8_t* to, std::ptrdiff_t to_stride, std::size_t bytes, Orientation how);

/// The same for a whole planar picture whose chroma is equally coarse in both directions (or not at all coarser).
[[nodiscard]] Picture turn(const AVFrame& from, Orientation how);
/// Whether that holds for the format.
[[nodiscard]] bool can_turn(AVPixelFormat format);

}  // namespace omnisync::media
