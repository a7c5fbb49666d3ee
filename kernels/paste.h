// Blends colours into a stored picture where a matte is above 0, in linear light: clamping, matching of colours, the
// transfer curve and its inverse, the colour matrix, subsampling, grain and rounding in one pass, in place.
//
// For each pixel of weight w > 0, with made' = made * gain + offset (per colour) and both clamped to 0 .. 1:
//   change = made' - before                                              where w >= 1
//   change = coded(light(before) + (light(made') - light(before)) * w) - coded(light(before))   else
// The change goes through the matrix to the planes; a chroma sample gets the mean over the pixels of its block (those
// of weight 0 count as unchanged). Then sample = round(clamp(sample + change * scale + grain)), half away from 0.
//
// So weight 0, or made' equal to before without grain, changes no bit, and nothing but samples that have a pixel of
// weight above 0 is written with another value than it has. A change that is no number leaves its sample as it is.
//
// Bits are the same on every CPU variant and on CUDA. Against the formulas in double precision: as if the light that
// is coded had been off by kPasteLightError of the larger of the two lights (and by the same of its own value, times
// 16 for PQ, whose exponent of 79 magnifies rounding), and the result by kPasteError of 1.
#pragma once

#include <cstdint>

#include "kernels/curve_math.h"
#include "kernels/picture.h"
#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr double kPasteLightError = 4e-6;
inline constexpr double kPasteError = 2e-6;

/// R', G', B' of a rectangle, 0 .. 1. Columns are adjacent; strides count elements and may be negative.
struct ColourPlanes {
    const void* data = nullptr;
    Type type = Type::f32;
    std::int64_t plane_stride = 0;
    std::int64_t row_stride = 0;
};

/// Normal noise that depends on (seed, track, frame, plane, sample) alone: kernels/noise.h with the track number
/// track * 3 + plane and the sample's number row * width + column in its plane.
struct Grain {
    std::uint64_t seed = 0;
    std::uint32_t track = 0;
    std::int64_t frame = 0;
    float strength[3] = {};  ///< per plane, standard deviation in stored units at full weight; 0: none
};

struct Paste {
    StoredPicture picture;          ///< written in place
    PixelArea area;                 ///< within the picture; x and y begin blocks of chroma
    ColourPlanes before;            ///< what the picture shows there, values beyond 0 .. 1 are clamped
    ColourPlanes made;              ///< what it shall show
    const float* weight = nullptr;  ///< one a pixel
    std::int64_t weight_stride = 0;
    float gain[3] = {1, 1, 1};
    float offset[3] = {};
    Curve curve = Curve::gamma;
    Grain grain;
};

/// Rows of chroma blocks.
[[nodiscard]] std::int64_t paste_tasks(const Paste& job);
void paste_cpu(const Paste& job, Tasks tasks, Simd simd = best_simd());
/// As noise_cuda. All pointers are the device's; samples above 8 bits lie at even addresses.
void paste_cuda(const Paste& job, Stream stream);

}  // namespace omnisync::kernels
