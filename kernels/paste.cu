#include "kernels/launch.cuh"
#include "kernels/paste.h"
#include "kernels/paste_math.h"

namespace omnisync::kernels {
namespace {

__device__ float load(const ColourPlanes& from, int plane, std::int64_t row, std::int64_t column) {
    const std::int64_t at = plane * from.plane_stride + row * from.row_stride + column;
    return from.type == Type::f32 ? static_cast<const float*>(from.data)[at]
                                  : to_float(static_cast<const bf16*>(from.data)[at]);
}

/// The change of one pixel in the planes' values.
__device__ void change_pixel(const Paste& job, std::int64_t row, std::int64_t column, float w, float (&out)[3]) {
    float change[3];
    for (int c = 0; c < 3; ++c) {
        const float before = curve_math::unit(load(job.before, c, row, column));
        const float made = paste_math::matched(load(job.made, c, row, column), job.gain[c], job.offset[c]);
        change[c] = made - before;
        if (w < 1.0F)
            with_curve(job.curve, [&]<Curve curve>() { change[c] = paste_math::feathered<curve>(before, made, w); });
    }
    for (int p = 0; p < 3; ++p)
        out[p] = paste_math::value_of(job.picture.to_planes + 3 * p, change[0], change[1], change[2]);
}

__device__ void write(const Paste& job, int p, std::int64_t row, std::int64_t column, float value, float w) {
    if (!(w > 0.0F)) return;
    const StoredPlane& plane = job.picture.planes[p];
    float add = value * plane.scale;
    if (job.grain.strength[p] != 0.0F) {
        const std::int64_t sample = row * plane.width + column;
        const noise_math::Normals four =
            noise_math::normals(job.grain.seed, job.grain.track * 3U + static_cast<std::uint32_t>(p), job.grain.frame,
                                static_cast<std::uint32_t>(sample / 4));
        add += job.grain.strength[p] * (w < 1.0F ? w : 1.0F) * four.z[sample % 4];
    }
    std::uint8_t* const samples = static_cast<std::uint8_t*>(plane.data) + row * plane.stride;
    const std::int32_t top = (1 << job.picture.bits) - 1;
    if (job.picture.bits > 8) {
        auto* const place = reinterpret_cast<std::uint16_t*>(samples) + column;
        *place = static_cast<std::uint16_t>(paste_math::changed(*place, add, w, top));
    } else {
        samples[column] = static_cast<std::uint8_t>(paste_math::changed(samples[column], add, w, top));
    }
}

/// One thread, one chroma block. Sums run in the order of the CPU: down each column, then across.
__global__ void paste_kernel(Paste job, std::int64_t blocks_across, std::int64_t blocks) {
    const std::int64_t index = thread_index();
    if (index >= blocks) return;
    const auto block_row = static_cast<std::int32_t>(index / blocks_across);
    const auto block_column = static_cast<std::int32_t>(index % blocks_across);
    const paste_math::Span rows = paste_math::block(block_row, job.picture.shift_y, job.area.height);
    const paste_math::Span columns = paste_math::block(block_column, job.picture.shift_x, job.area.width);
    float sums[2] = {};
    float most = 0;
    for (int x = columns.begin; x < columns.begin + columns.count; ++x) {
        float down[2] = {};
        for (int y = rows.begin; y < rows.begin + rows.count; ++y) {
            const float w = job.weight[y * job.weight_stride + x];
            float change[3] = {};
            if (w > 0.0F) change_pixel(job, y, x, w, change);
            write(job, 0, job.area.y + y, job.area.x + x, change[0], w);
            down[0] += change[1];
            down[1] += change[2];
            most = w > most ? w : most;
        }
        sums[0] += down[0];
        sums[1] += down[1];
    }
    if (job.picture.count == 1) return;
    const auto pixels = static_cast<float>(rows.count * columns.count);
    for (int p = 1; p < 3; ++p)
        write(job, p, (job.area.y >> job.picture.shift_y) + block_row,
              (job.area.x >> job.picture.shift_x) + block_column, pixels > 1.0F ? sums[p - 1] / pixels : sums[p - 1],
              most);
}

}  // namespace

void paste_cuda(const Paste& job, Stream stream) {
    const std::int64_t shift = job.picture.shift_x;
    const std::int64_t across = (std::int64_t{job.area.width} + (1 << shift) - 1) >> shift;
    const std::int64_t blocks = across * paste_tasks(job);
    launch(paste_kernel, blocks, stream, job, across, blocks);
}

}  // namespace omnisync::kernels
