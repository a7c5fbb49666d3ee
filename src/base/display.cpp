// The picture as it is meant to be seen.
#include <algorithm>
#include <cmath>
#include <utility>

#include "omnisync/picture.h"

namespace omnisync {

Size display_size(const VideoInfo& video) {
    Size size{video.width, video.height};
    if (video.sample_aspect.valid())
        size.width = std::max(1, static_cast<int>(std::lround(static_cast<double>(video.width) *
                                                              static_cast<double>(video.sample_aspect.num) /
                                                              static_cast<double>(video.sample_aspect.den))));
    if (video.rotation % 180 != 0) std::swap(size.width, size.height);
    return size;
}

Size fit(Size size, Size box) {
    const double scale =
        std::min(static_cast<double>(box.width) / size.width, static_cast<double>(box.height) / size.height);
    return {std::clamp(static_cast<int>(std::lround(size.width * scale)), 1, box.width),
            std::clamp(static_cast<int>(std::lround(size.height * scale)), 1, box.height)};
}

Affine inverse(const Affine& map) {
    const double det = map.xx * map.yy - map.xy * map.yx;
    Affine inv{map.yy / det, -map.xy / det, 0, -map.yx / det, map.xx / det, 0};
    inv.dx = -(inv.xx * map.dx + inv.xy * map.dy);
    inv.dy = -(inv.yx * map.dx + inv.yy * map.dy);
    return inv;
}

Affine stored_to_upright(const VideoInfo& video) {
    Size seen = display_size(video);
    if (video.rotation % 180 != 0) std::swap(seen.width, seen.height);
    // Centres of pixels are whole numbers, so widths scale about -0.5.
    const double stretch = static_cast<double>(seen.width) / video.width;
    Affine map{stretch, 0, stretch / 2 - 0.5, 0, 1, 0};
    const double right = seen.width - 1;
    const double bottom = seen.height - 1;
    switch (video.rotation) {
        case 90:
            map = {-map.yx, -map.yy, bottom - map.dy, map.xx, map.xy, map.dx};
            break;
        case 180:
            map = {-map.xx, -map.xy, right - map.dx, -map.yx, -map.yy, bottom - map.dy};
            break;
        case 270:
            map = {map.yx, map.yy, map.dy, -map.xx, -map.xy, right - map.dx};
            break;
        default:
            break;
    }
    if (video.mirrored) {
        const double last = (video.rotation % 180 != 0 ? seen.height : seen.width) - 1;
        map = {-map.xx, -map.xy, last - map.dx, map.yx, map.yy, map.dy};
    }
    return map;
}

}  // namespace omnisync
