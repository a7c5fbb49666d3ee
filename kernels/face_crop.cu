#include "kernels/face_crop.h"
#include "kernels/face_crop_math.h"
#include "kernels/launch.cuh"

namespace omnisync::kernels {
namespace {

__device__ void write(const StoredPicture& picture, const ColourOut& out, std::int64_t row, std::int64_t column,
                      const float* values) {
    for (int c = 0; c < 3; ++c) {
        const float colour = face_crop_math::colour_of(picture, out, c, values);
        const std::int64_t to = c * out.plane_stride + row * out.row_stride + column;
        if (out.type == Type::f32)
            static_cast<float*>(out.data)[to] = colour;
        else
            static_cast<bf16*>(out.data)[to] = from_float<bf16>(colour);
    }
}

/// One thread, one pixel.
template <class Sample>
__global__ void read_patch_kernel(ReadPatch job, std::int64_t pixels) {
    const std::int64_t index = thread_index();
    if (index >= pixels) return;
    const auto row = static_cast<std::int32_t>(index / job.area.width);
    const auto column = static_cast<std::int32_t>(index % job.area.width);
    float values[3];
    for (int p = 0; p < job.picture.count; ++p) {
        const StoredPlane& plane = job.picture.planes[p];
        const auto across = face_crop_math::between(job.area.x + column, p == 0 ? 0 : job.picture.shift_x);
        const auto down = face_crop_math::between(job.area.y + row, p == 0 ? 0 : job.picture.shift_y);
        const auto at = [&](std::int32_t y, std::int32_t x) {
            const auto* const line =
                static_cast<const std::uint8_t*>(plane.data) + sampling::bounded(y, 0, plane.height - 1) * plane.stride;
            return face_crop_math::sample_at<Sample>(line, sampling::bounded(x, 0, plane.width - 1));
        };
        const auto line = [&](std::int32_t x) {
            const float above = at(down.first, x);
            return above + (at(down.first + 1, x) - above) * down.share;
        };
        const float left = line(across.first);
        const float sample = left + (line(across.first + 1) - left) * across.share;
        values[p] = (sample - plane.zero) / plane.scale;
    }
    write(job.picture, job.out, row, column, values);
}

template <class Sample>
__global__ void face_crop_kernel(FaceCrop job, std::int64_t pixels) {
    const std::int64_t index = thread_index();
    if (index >= pixels) return;
    const auto row = static_cast<std::int32_t>(index / job.width);
    const auto column = static_cast<std::int32_t>(index % job.width);
    float values[3];
    face_crop_math::crop_values<Sample>(job, column, row, values);
    write(job.picture, job.out, row, column, values);
}

}  // namespace

void read_patch_cuda(const ReadPatch& job, Stream stream) {
    const std::int64_t pixels = read_patch_tasks(job) * job.area.width;
    job.picture.bits > 8 ? launch(read_patch_kernel<std::uint16_t>, pixels, stream, job, pixels)
                         : launch(read_patch_kernel<std::uint8_t>, pixels, stream, job, pixels);
}

void face_crop_cuda(const FaceCrop& job, Stream stream) {
    const std::int64_t pixels = face_crop_tasks(job) * job.width;
    job.picture.bits > 8 ? launch(face_crop_kernel<std::uint16_t>, pixels, stream, job, pixels)
                         : launch(face_crop_kernel<std::uint8_t>, pixels, stream, job, pixels);
}

}  // namespace omnisync::kernels
