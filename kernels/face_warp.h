// A face redrawn out of two pictures, each seen through displacements of its own, mixed by mattes: all that
// compositing::draw_proposal does for a pixel.
//
// The pixel (i, j) of the area lies at c = to_canonical (area.x + i, area.y + j) on the canonical face. There
//   mouth, ring, edit = mattes(c)
//   source   = look(source,   c + warps(c)[0, 1])
//   exemplar = look(exemplar, c + warps(c)[2, 3])
//   made = source + (exemplar - source) * mouth
// and sums[j] gathers (source - exemplar) * ring and ring. look() reads bicubically (a = -0.75), beyond the edge the
// edge's pixels. Where edit <= 0, made and mouth are 0; pictures are read only where they count.
//
// Bits are the same on every CPU variant and, but for `sums`, on CUDA. Places are float32, as in the tensors that this
// stands for: an error of kWarpPlaceError of the largest coordinate in each, kWarpError of the largest colour besides.
#pragma once

#include <cstdint>

#include "kernels/picture.h"
#include "kernels/sampling.h"
#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr double kWarpPlaceError = 1.5e-7;
inline constexpr double kWarpError = 4e-6;

/// A picture of colours with where the canonical face is in it.
struct FaceView {
    const float* pixels = nullptr;  ///< [3][rows][columns], columns adjacent
    std::int64_t plane_stride = 0;
    std::int64_t row_stride = 0;
    std::int32_t rows = 0;  ///< at least 1
    std::int32_t columns = 0;
    float to_pixels[6] = {1, 0, 0, 0, 1, 0};  ///< x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]
};

struct FaceWarp {
    PixelArea area;
    double to_canonical[6] = {1, 0, 0, 0, 1, 0};
    NodeGrid mattes;  ///< mouth, ring, edit, nothing
    NodeGrid warps;   ///< of source x, y; of exemplar x, y
    FaceView source;
    FaceView exemplar;

    float* made = nullptr;   ///< [3][height][width]
    float* mouth = nullptr;  ///< [height][width]
    float* edit = nullptr;   ///< [height][width], 0 where it is not above 0
    float* sums = nullptr;   ///< [height][4]: red, green, blue, ring
};

/// Rows.
[[nodiscard]] std::int64_t face_warp_tasks(const FaceWarp& job);
void face_warp_cpu(const FaceWarp& job, Tasks tasks, Simd simd = best_simd());
/// As noise_cuda. All pointers are the device's.
void face_warp_cuda(const FaceWarp& job, Stream stream);

}  // namespace omnisync::kernels
