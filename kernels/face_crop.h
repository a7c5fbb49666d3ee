// Stored samples as colours: a rectangle of a picture as it is, or a face looked at through a map, with or without
// displacements; matrix and normalisation included. Reads no more samples than it needs and allocates nothing.
//
// A plane's value is (sample - zero) / scale. Colours are out = gain * (to_colours * values) + offset, rounded to the
// type of `out`.
//
// read_patch: a subsampled plane is read at each pixel's centre, bilinearly; beyond the plane's edge, the edge.
//
// face_crop: the pixel (i, j) lies at c = to_face (i, j); c += nodes(c)[0, 1] where there are nodes; it shows the
// picture at p = to_picture c, in pixels of the picture. Every plane is read there on its own grid by Keys' cubic
// convolution (a = -0.75); where the map makes smaller, against aliasing by the same kernel stretched: `stretch` is how
// many pixels of the picture one step in the crop spans (stretch_of() says), a subsampled plane's is that over its
// block's side, and what is below 1 counts as 1. A stretched kernel's weights are brought to a sum of 1. Beyond a
// plane's edge, the edge.
//
// Bits are the same on every CPU variant and on CUDA. Against the formulas in double precision, for the same float32
// places p: kCropError of 1 (times gain), and the type's rounding. Places are off by kCropPlaceError of the largest
// coordinate.
#pragma once

#include <cstdint>

#include "kernels/picture.h"
#include "kernels/sampling.h"
#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

inline constexpr double kCropError = 1e-5;
inline constexpr double kCropPlaceError = 2e-7;
inline constexpr float kMostStretch = 16;

/// [3][height][width]: red, green, blue. Columns are adjacent; strides count elements and may be negative.
struct ColourOut {
    void* data = nullptr;
    Type type = Type::f32;
    std::int64_t plane_stride = 0;
    std::int64_t row_stride = 0;
    float gain = 1;
    float offset = 0;
};

struct ReadPatch {
    StoredPicture picture;
    PixelArea area;  ///< within the picture; x and y begin blocks of chroma
    ColourOut out;
};

struct FaceCrop {
    StoredPicture picture;
    std::int32_t width = 0;  ///< of the crop
    std::int32_t height = 0;
    float to_face[6] = {1, 0, 0, 0, 1, 0};  ///< x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]
    NodeGrid nodes;                         ///< displacements x, y, nothing, nothing; no values: none
    float to_picture[6] = {1, 0, 0, 0, 1, 0};
    float stretch = 1;  ///< at most kMostStretch
    ColourOut out;
};

/// The larger singular value of to_picture * to_face: picture pixels a step in the crop; at least 1, at most
/// kMostStretch.
[[nodiscard]] float stretch_of(const FaceCrop& job);

/// Rows.
[[nodiscard]] std::int64_t read_patch_tasks(const ReadPatch& job);
[[nodiscard]] std::int64_t face_crop_tasks(const FaceCrop& job);

void read_patch_cpu(const ReadPatch& job, Tasks tasks, Simd simd = best_simd());
void face_crop_cpu(const FaceCrop& job, Tasks tasks, Simd simd = best_simd());

/// As noise_cuda. All pointers are the device's; samples above 8 bits lie at even addresses.
void read_patch_cuda(const ReadPatch& job, Stream stream);
void face_crop_cuda(const FaceCrop& job, Stream stream);

}  // namespace omnisync::kernels
