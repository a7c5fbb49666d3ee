// What face_warp.h says of one pixel, for the CPU and the device alike; without contraction.
#pragma once

#include "kernels/face_warp.h"

namespace omnisync::kernels::face_warp_math {

using sampling::all;
using sampling::bounded;
using sampling::Four;

/// Four neighbours of a row from `column` on, those beyond the edge being the edge's.
OMNISYNC_HD Four beside_edge(const float* row, std::int32_t column, std::int32_t columns) {
    const std::int32_t last = columns - 1;
    return Four{row[bounded(column, 0, last)], row[bounded(column + 1, 0, last)], row[bounded(column + 2, 0, last)],
                row[bounded(column + 3, 0, last)]};
}

/// Red, green, blue and 0 at a canonical place.
OMNISYNC_HD Four look(const FaceView& view, float cx, float cy) {
    const float* const m = view.to_pixels;
    // Two pixels beyond an edge all four neighbours are the last one; nearer to it they are not yet.
    const float x = bounded(m[0] * cx + m[1] * cy + m[2], -2.0F, static_cast<float>(view.columns + 1));
    const float y = bounded(m[3] * cx + m[4] * cy + m[5], -2.0F, static_cast<float>(view.rows + 1));
    const std::int32_t left = sampling::floor(x);
    const std::int32_t top = sampling::floor(y);
    const Four across = sampling::cubic(x - static_cast<float>(left));
    const Four down = sampling::cubic(y - static_cast<float>(top));
    const bool inside = left >= 1 && top >= 1 && left + 2 < view.columns && top + 2 < view.rows;
    Four lines[3];
    for (int c = 0; c < 3; ++c) {
        const float* const plane = view.pixels + c * view.plane_stride;
        if (inside) {
            const float* const row = plane + (top - 1) * view.row_stride + (left - 1);
            lines[c] = sampling::load(row) * all(down[0]) + sampling::load(row + view.row_stride) * all(down[1]) +
                       sampling::load(row + 2 * view.row_stride) * all(down[2]) +
                       sampling::load(row + 3 * view.row_stride) * all(down[3]);
        } else {
            const auto row = [&](std::int32_t k) {
                return beside_edge(plane + bounded(top - 1 + k, 0, view.rows - 1) * view.row_stride, left - 1,
                                   view.columns);
            };
            lines[c] = row(0) * all(down[0]) + row(1) * all(down[1]) + row(2) * all(down[2]) + row(3) * all(down[3]);
        }
        lines[c] = lines[c] * across;
    }
    return sampling::sums(lines[0], lines[1], lines[2]);
}

/// What is found of a pixel.
struct Drawn {
    Four made;        ///< red, green, blue, mouth
    Four difference;  ///< times the ring: red, green, blue, ring
    float edit;
};

OMNISYNC_HD Drawn draw(const FaceWarp& job, std::int32_t i, std::int32_t j) {
    const double* const to = job.to_canonical;
    const double x = job.area.x + i, y = job.area.y + j;
    const auto cx = static_cast<float>(to[0] * x + to[1] * y + to[2]);
    const auto cy = static_cast<float>(to[3] * x + to[4] * y + to[5]);
    Drawn drawn{all(0), all(0), 0};
    const Four mattes = sampling::read_nodes(job.mattes, cx, cy);
    const float mouth = mattes[0], ring = mattes[1], edit = mattes[2];
    if (!(mouth > 0.0F || ring > 0.0F || edit > 0.0F)) return drawn;
    const Four by = sampling::read_nodes(job.warps, cx, cy);
    const Four source = look(job.source, cx + by[0], cy + by[1]);
    Four made = source;
    if (mouth > 0.0F || ring > 0.0F) {
        const Four exemplar = look(job.exemplar, cx + by[2], cy + by[3]);
        made = source + (exemplar - source) * all(mouth);
        drawn.difference = (source - exemplar) * all(ring);
        drawn.difference[3] = ring;
    }
    if (!(edit > 0.0F)) return drawn;
    made[3] = mouth;
    drawn.made = made;
    drawn.edit = edit;
    return drawn;
}

}  // namespace omnisync::kernels::face_warp_math
