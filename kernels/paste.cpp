#include "kernels/paste.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "kernels/paste_math.h"

namespace omnisync::kernels {
namespace {

constexpr int kLanes = 16;   // pixels computed together: one AVX-512 register
constexpr int kChunk = 256;  // columns of a task's rows held at a time, whole chroma blocks

/// Changes of a row's pixels in the planes' values, or sums of them over rows.
struct Changes {
    alignas(64) float planes[3][kChunk];
    alignas(64) float weight[kChunk];
};

OMNISYNC_HD void load(const ColourPlanes& from, int plane, std::int64_t row, std::int64_t column, int count,
                      float* out) {
    const std::int64_t at = plane * from.plane_stride + row * from.row_stride + column;
    if (from.type == Type::f32) {
        const float* const values = static_cast<const float*>(from.data) + at;
        if (count == kLanes)
            std::memcpy(out, values, sizeof(float) * kLanes);
        else
            for (int i = 0; i < kLanes; ++i) out[i] = i < count ? values[i] : 0.0F;
        return;
    }
    const bf16* const values = static_cast<const bf16*>(from.data) + at;
    if (count == kLanes)
        for (int i = 0; i < kLanes; ++i) out[i] = to_float(values[i]);
    else
        for (int i = 0; i < kLanes; ++i) out[i] = i < count ? to_float(values[i]) : 0.0F;
}

/// Changes of coded colours, [3][kLanes], by weights of which some are above 0.
OMNISYNC_HD void change_colours(const Paste& job, std::int64_t row, std::int64_t column, int count, const float* w,
                                float (&change)[3][kLanes]) {
    bool soft = false;
    for (int i = 0; i < kLanes; ++i) soft |= w[i] > 0.0F && w[i] < 1.0F;
    for (int c = 0; c < 3; ++c) {
        alignas(64) float before[kLanes];
        alignas(64) float made[kLanes];
        load(job.before, c, row, column, count, before);
        load(job.made, c, row, column, count, made);
        for (int i = 0; i < kLanes; ++i) {
            before[i] = curve_math::unit(before[i]);
            made[i] = paste_math::matched(made[i], job.gain[c], job.offset[c]);
            change[c][i] = w[i] > 0.0F ? made[i] - before[i] : 0.0F;
        }
        if (!soft) continue;
        with_curve(job.curve, [&]<Curve curve>() OMNISYNC_INLINE {
            for (int i = 0; i < kLanes; ++i) {
                const float mixed = paste_math::feathered<curve>(before[i], made[i], w[i]);
                change[c][i] = w[i] > 0.0F && w[i] < 1.0F ? mixed : change[c][i];
            }
        });
    }
}

/// The changes of `count` pixels of a row from `column` of the area on; beyond them, up to a whole group, zeros.
OMNISYNC_HD void change_row(const Paste& job, std::int64_t row, std::int64_t column, int count, Changes& out) {
    const float* const weights = job.weight + row * job.weight_stride + column;
    for (int at = 0; at < count; at += kLanes) {
        const int here = std::min(kLanes, count - at);
        float* const w = out.weight + at;
        for (int i = 0; i < kLanes; ++i) w[i] = 0.0F;
        std::memcpy(w, weights + at, sizeof(float) * static_cast<std::size_t>(here));
        bool any = false;
        for (int i = 0; i < kLanes; ++i) {
            w[i] = w[i] > 0.0F ? w[i] : 0.0F;  // also where it is no number
            any |= w[i] > 0.0F;
        }
        if (!any) {
            for (auto& plane : out.planes) std::fill_n(plane + at, kLanes, 0.0F);
            continue;
        }
        alignas(64) float change[3][kLanes];
        change_colours(job, row, column + at, here, w, change);
        for (int p = 0; p < 3; ++p)
            for (int i = 0; i < kLanes; ++i)
                out.planes[p][at + i] =
                    paste_math::value_of(job.picture.to_planes + 3 * p, change[0][i], change[1][i], change[2][i]);
    }
}

/// Grain of samples `first` .. `first + count` of a plane, added to what is to be added to them.
OMNISYNC_HD void add_grain(const Grain& grain, int plane, std::int64_t first, int count, const float* w, float* add) {
    alignas(64) float normals[kChunk + 8 * kLanes];
    const auto block = static_cast<std::uint32_t>(first / 4);
    const int skip = static_cast<int>(first % 4);
    for (int group = 0; 4 * group < skip + count; group += kLanes)
        for (int lane = 0; lane < kLanes; ++lane) {
            const noise_math::Normals four =
                noise_math::normals(grain.seed, grain.track * 3U + static_cast<std::uint32_t>(plane), grain.frame,
                                    block + static_cast<std::uint32_t>(group + lane));
            for (int i = 0; i < 4; ++i) normals[4 * (group + lane) + i] = four.z[i];
        }
    for (int i = 0; i < count; ++i) add[i] += grain.strength[plane] * (w[i] < 1.0F ? w[i] : 1.0F) * normals[skip + i];
}

/// Adds to the samples of a row; those of weight 0 keep their value.
template <class Sample>
OMNISYNC_HD void write_row(std::uint8_t* row, std::int64_t column, int count, const float* add, const float* w,
                           std::int32_t top) {
    for (int at = 0; at < count; at += kLanes) {
        bool any = false;
        for (int i = 0; i < kLanes; ++i) any |= w[at + i] > 0.0F;
        if (!any) continue;
        const auto bytes = sizeof(Sample) * static_cast<std::size_t>(std::min(kLanes, count - at));
        std::uint8_t* const place = row + (column + at) * static_cast<std::int64_t>(sizeof(Sample));
        Sample samples[kLanes] = {};
        std::memcpy(samples, place, bytes);
        for (int i = 0; i < kLanes; ++i)
            samples[i] = static_cast<Sample>(paste_math::changed(samples[i], add[at + i], w[at + i], top));
        std::memcpy(place, samples, bytes);
    }
}

/// Writes `count` samples of one row of a plane from `column` on; `values` are changes of the plane's values.
OMNISYNC_HD void write(const Paste& job, int p, std::int64_t row, std::int64_t column, int count, float* values,
                       const float* w) {
    const StoredPlane& plane = job.picture.planes[p];
    for (int i = 0; i < (count + kLanes - 1) / kLanes * kLanes; ++i) values[i] *= plane.scale;
    if (job.grain.strength[p] != 0.0F) add_grain(job.grain, p, row * plane.width + column, count, w, values);
    std::uint8_t* const samples = static_cast<std::uint8_t*>(plane.data) + row * plane.stride;
    const std::int32_t top = (1 << job.picture.bits) - 1;
    if (job.picture.bits > 8)
        write_row<std::uint16_t>(samples, column, count, values, w, top);
    else
        write_row<std::uint8_t>(samples, column, count, values, w, top);
}

/// The larger of two numbers that are not negative.
OMNISYNC_HD float larger(float a, float b) {
    const auto x = bit_cast<std::int32_t>(a), y = bit_cast<std::int32_t>(b);
    return bit_cast<float>(x > y ? x : y);
}

/// Means over blocks of columns of `sums` over `rows` rows.
OMNISYNC_HD void narrow(const Paste& job, int pixels, int rows, const Changes& sums, Changes& out) {
    const int shift = job.picture.shift_x;
    int done = 0;
    if (shift == 1) {  // nearly all pictures: blocks of two, without an inner loop
        done = pixels / 2;
        const auto count = static_cast<float>(2 * rows);
        for (int p = 1; p < 3; ++p)
            for (int i = 0; i < done; ++i)
                out.planes[p][i] = (sums.planes[p][2 * i] + sums.planes[p][2 * i + 1]) / count;
        for (int i = 0; i < done; ++i) out.weight[i] = larger(sums.weight[2 * i], sums.weight[2 * i + 1]);
    }
    for (int i = done; i << shift < pixels; ++i) {
        const paste_math::Span span = paste_math::block(i, shift, pixels);
        for (int p = 1; p < 3; ++p) {
            float sum = sums.planes[p][span.begin];
            for (int k = 1; k < span.count; ++k) sum += sums.planes[p][span.begin + k];
            out.planes[p][i] = sum / static_cast<float>(span.count * rows);
        }
        float most = sums.weight[span.begin];
        for (int k = 1; k < span.count; ++k) most = larger(most, sums.weight[span.begin + k]);
        out.weight[i] = most;
    }
    const int samples = (pixels + (1 << shift) - 1) >> shift;
    std::fill_n(out.weight + samples, (kChunk - samples) % kLanes, 0.0F);
}

/// One row of blocks, `count` pixels from `column` of the area on.
OMNISYNC_HD void paste_blocks(const Paste& job, std::int32_t block_row, int column, int count) {
    const StoredPicture& picture = job.picture;
    const paste_math::Span rows = paste_math::block(block_row, picture.shift_y, job.area.height);
    Changes one;
    Changes sums;
    for (int y = 0; y < rows.count; ++y) {
        Changes& here = y == 0 ? sums : one;
        change_row(job, rows.begin + y, column, count, here);
        write(job, 0, job.area.y + rows.begin + y, job.area.x + column, count, here.planes[0], here.weight);
        if (y == 0) continue;
        for (int i = 0; i < (count + kLanes - 1) / kLanes * kLanes; ++i) {
            sums.planes[1][i] += one.planes[1][i];
            sums.planes[2][i] += one.planes[2][i];
            sums.weight[i] = larger(sums.weight[i], one.weight[i]);
        }
    }
    if (picture.count == 1) return;
    const bool blocks = picture.shift_x > 0 || rows.count > 1;
    if (blocks) narrow(job, count, rows.count, sums, one);
    Changes& chroma = blocks ? one : sums;
    const int samples = (count + (1 << picture.shift_x) - 1) >> picture.shift_x;
    for (int p = 1; p < 3; ++p)
        write(job, p, (job.area.y >> picture.shift_y) + block_row, (job.area.x + column) >> picture.shift_x, samples,
              chroma.planes[p], chroma.weight);
}

}  // namespace

std::int64_t paste_tasks(const Paste& job) {
    if (job.area.width <= 0 || job.area.height <= 0) return 0;
    return (std::int64_t{job.area.height} + (1 << job.picture.shift_y) - 1) >> job.picture.shift_y;
}

void paste_cpu(const Paste& job, Tasks tasks, Simd simd) {
    run(simd, [&]() OMNISYNC_INLINE {
        for (std::int64_t task = tasks.begin; task < tasks.end; ++task)
            for (int column = 0; column < job.area.width; column += kChunk)
                paste_blocks(job, static_cast<std::int32_t>(task), column, std::min(kChunk, job.area.width - column));
    });
}

}  // namespace omnisync::kernels
