#include "kernels/face_crop.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/face_crop_math.h"

namespace omnisync::kernels {
namespace {

constexpr int kLanes = 16;
constexpr int kChunk = 256;  // columns of a row held at a time, whole chroma blocks

/// Writes colours of `count` pixels, out of the planes' samples.
OMNISYNC_HD void write_colours(const StoredPicture& picture, const ColourOut& out, std::int64_t row,
                               std::int64_t column, int count, float (&samples)[3][kChunk]) {
    for (int at = 0; at < count; at += kLanes) {
        alignas(64) float values[3][kLanes];
        for (int p = 0; p < 3; ++p)
            for (int i = 0; i < kLanes; ++i)
                values[p][i] = (samples[p][at + i] - picture.planes[p].zero) / picture.planes[p].scale;
        const auto here = static_cast<std::size_t>(std::min(kLanes, count - at));
        for (int c = 0; c < 3; ++c) {
            alignas(64) float colour[kLanes];
            for (int i = 0; i < kLanes; ++i) {
                const float all[3] = {values[0][i], values[1][i], values[2][i]};
                colour[i] = face_crop_math::colour_of(picture, out, c, all);
            }
            const std::int64_t to = c * out.plane_stride + row * out.row_stride + column + at;
            if (out.type == Type::f32) {
                std::memcpy(static_cast<float*>(out.data) + to, colour, here * sizeof(float));
            } else {
                bf16 rounded[kLanes];
                for (int i = 0; i < kLanes; ++i) rounded[i] = from_float<bf16>(colour[i]);
                std::memcpy(static_cast<bf16*>(out.data) + to, rounded, here * sizeof(bf16));
            }
        }
    }
}

// ---- read_patch -----------------------------------------------------------------------------------------------------

/// Samples `first` .. `first + count` of a row, beyond its ends the last ones.
template <class Sample>
OMNISYNC_HD void read_row(const StoredPlane& plane, std::int64_t row, int first, int count, float* out) {
    const auto* const data = static_cast<const std::uint8_t*>(plane.data) + row * plane.stride;
    const int begin = std::max(0, -first), end = std::min(count, plane.width - first);
    for (int i = begin; i < end; ++i) out[i] = face_crop_math::sample_at<Sample>(data, first + i);
    for (int i = 0; i < begin; ++i) out[i] = out[begin];
    for (int i = end; i < count; ++i) out[i] = out[end - 1];
}

/// A subsampled plane's row at the pixels `x` .. `x + count` of row `y` of the picture.
template <class Sample>
OMNISYNC_HD void read_between(const StoredPicture& picture, const StoredPlane& plane, std::int32_t y, std::int32_t x,
                              int count, float* out) {
    alignas(64) float line[kChunk + 2];
    alignas(64) float next[kChunk + 2];
    const int shift = picture.shift_x;
    const int first = (x >> shift) - 1;
    const int needed = ((count - 1) >> shift) + 3;
    const face_crop_math::Between down = face_crop_math::between(y, picture.shift_y);
    read_row<Sample>(plane, sampling::bounded(down.first, 0, plane.height - 1), first, needed, line);
    if (picture.shift_y > 0) {
        read_row<Sample>(plane, sampling::bounded(down.first + 1, 0, plane.height - 1), first, needed, next);
        for (int i = 0; i < needed; ++i) line[i] = line[i] + (next[i] - line[i]) * down.share;
    }
    if (shift == 0) {
        std::copy_n(line + 1, count, out);
    } else if (shift == 1) {
        for (int k = 0; k < (count + 1) / 2; ++k) {
            out[2 * k] = line[k] + (line[k + 1] - line[k]) * 0.75F;
            out[2 * k + 1] = line[k + 1] + (line[k + 2] - line[k + 1]) * 0.25F;
        }
    } else {
        for (int i = 0; i < count; ++i) {
            const face_crop_math::Between across = face_crop_math::between(x + i, shift);
            const int k = across.first - first;
            out[i] = line[k] + (line[k + 1] - line[k]) * across.share;
        }
    }
}

template <class Sample>
OMNISYNC_HD void read_rows(const ReadPatch& job, Tasks tasks) {
    alignas(64) float samples[3][kChunk] = {};
    for (std::int64_t row = tasks.begin; row < tasks.end; ++row)
        for (int column = 0; column < job.area.width; column += kChunk) {
            const int count = std::min(kChunk, job.area.width - column);
            const auto y = job.area.y + static_cast<std::int32_t>(row);
            const std::int32_t x = job.area.x + column;
            read_row<Sample>(job.picture.planes[0], y, x, count, samples[0]);
            for (int p = 1; p < job.picture.count; ++p)
                read_between<Sample>(job.picture, job.picture.planes[p], y, x, count, samples[p]);
            write_colours(job.picture, job.out, row, column, count, samples);
        }
}

// ---- face_crop ------------------------------------------------------------------------------------------------------

template <class Sample>
OMNISYNC_HD void crop_rows(const FaceCrop& job, Tasks tasks) {
    for (std::int64_t row = tasks.begin; row < tasks.end; ++row)
        for (std::int32_t column = 0; column < job.width; ++column) {
            float values[3];
            face_crop_math::crop_values<Sample>(job, column, static_cast<std::int32_t>(row), values);
            for (int c = 0; c < 3; ++c) {
                const float colour = face_crop_math::colour_of(job.picture, job.out, c, values);
                const std::int64_t to = c * job.out.plane_stride + row * job.out.row_stride + column;
                if (job.out.type == Type::f32)
                    static_cast<float*>(job.out.data)[to] = colour;
                else
                    static_cast<bf16*>(job.out.data)[to] = from_float<bf16>(colour);
            }
        }
}

}  // namespace

float stretch_of(const FaceCrop& job) {
    const float* const a = job.to_picture;
    const float* const b = job.to_face;
    const double xx = a[0] * b[0] + a[1] * b[3], xy = a[0] * b[1] + a[1] * b[4];
    const double yx = a[3] * b[0] + a[4] * b[3], yy = a[3] * b[1] + a[4] * b[4];
    // Singular values of a 2 x 2 matrix: half the sum and half the difference of these two lengths.
    const double stretch = (std::hypot(xx + yy, xy - yx) + std::hypot(xx - yy, xy + yx)) / 2;
    return static_cast<float>(std::clamp(stretch, 1.0, static_cast<double>(kMostStretch)));
}

std::int64_t read_patch_tasks(const ReadPatch& job) {
    return job.area.width > 0 ? std::max(job.area.height, 0) : 0;
}
std::int64_t face_crop_tasks(const FaceCrop& job) {
    return job.width > 0 ? std::max(job.height, 0) : 0;
}

void read_patch_cpu(const ReadPatch& job, Tasks tasks, Simd simd) {
    run(simd, [&]() OMNISYNC_INLINE {
        job.picture.bits > 8 ? read_rows<std::uint16_t>(job, tasks) : read_rows<std::uint8_t>(job, tasks);
    });
}

void face_crop_cpu(const FaceCrop& job, Tasks tasks, Simd simd) {
    run(simd, [&]() OMNISYNC_INLINE {
        job.picture.bits > 8 ? crop_rows<std::uint16_t>(job, tasks) : crop_rows<std::uint8_t>(job, tasks);
    });
}

}  // namespace omnisync::kernels
