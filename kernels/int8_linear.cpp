#include "kernels/int8_linear.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/simd.h"

namespace omnisync::kernels {
namespace {

constexpr std::int64_t kPanel = 48;     // outputs: three vectors of 16 sums
constexpr std::int64_t kTaskRows = 48;  // of a task
constexpr int kRows = 8;                // of a register tile

std::int64_t panels_of(std::int64_t columns) {
    return (columns + kPanel - 1) / kPanel;
}
std::int64_t row_blocks(const Int8Linear& job) {
    return (job.rows + kTaskRows - 1) / kTaskRows;
}

/// To the nearest whole number, ties to even, for |value| < 2^22: the same on every CPU.
OMNISYNC_HD float nearest(float value) {
    constexpr float kRound = 12582912.0F;
    return (value + kRound) - kRound;
}

/// What `sums` [rows, kPanel] mean, for outputs `first` on.
OMNISYNC_HD void give(const Int8Linear& job, std::int64_t row, std::int64_t rows, std::int64_t first,
                      const std::int32_t* sums) {
    const std::int64_t width = std::min(kPanel, job.columns - first);
    for (std::int64_t r = 0; r < rows; ++r) {
        float* const out = job.out + (row + r) * job.columns + first;
        const float scale = job.row_scale[row + r];
        for (std::int64_t c = 0; c < width; ++c) {
            const auto sum = static_cast<float>(sums[r * kPanel + c] - job.offset[first + c]);
            const float product = sum * (scale * job.scale[first + c]);
            out[c] = job.bias == nullptr ? product : product + job.bias[first + c];
        }
    }
}

OMNISYNC_HD void sum_plainly(const std::uint8_t* x, std::int64_t stride, std::int64_t rows, const std::int8_t* panel,
                             std::int32_t* sums) {
    std::fill_n(sums, rows * kPanel, 0);
    for (std::int64_t r = 0; r < rows; ++r)
        for (std::int64_t i = 0; i < stride; i += 4)
            for (std::int64_t c = 0; c < kPanel; ++c)
                for (std::int64_t k = 0; k < 4; ++k)
                    sums[r * kPanel + c] += x[r * stride + i + k] * panel[(i * kPanel) + 4 * c + k];
}

#ifdef __x86_64__
#define OMNISYNC_VNNI [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]]

template <int rows>
OMNISYNC_VNNI void sum_tile(const std::uint8_t* x, std::int64_t stride, const std::int8_t* panel, std::int32_t* sums) {
    __m512i total[rows][3];
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < 3; ++v) total[r][v] = _mm512_setzero_si512();
    for (std::int64_t i = 0; i < stride; i += 4) {
        __m512i weights[3];
#pragma GCC unroll 3
        for (int v = 0; v < 3; ++v) weights[v] = _mm512_loadu_si512(panel + i * kPanel + v * 64);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) {
            std::int32_t four = 0;
            std::memcpy(&four, x + r * stride + i, sizeof four);
            const __m512i values = _mm512_set1_epi32(four);
#pragma GCC unroll 3
            for (int v = 0; v < 3; ++v) total[r][v] = _mm512_dpbusd_epi32(total[r][v], values, weights[v]);
        }
    }
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r)
#pragma GCC unroll 3
        for (int v = 0; v < 3; ++v) _mm512_storeu_si512(sums + r * kPanel + v * 16, total[r][v]);
}

OMNISYNC_VNNI void sum_by_vnni(const std::uint8_t* x, std::int64_t stride, std::int64_t rows, const std::int8_t* panel,
                               std::int32_t* sums) {
    std::int64_t r = 0;
    for (; r + kRows <= rows; r += kRows) sum_tile<kRows>(x + r * stride, stride, panel, sums + r * kPanel);
    for (; r < rows; ++r) sum_tile<1>(x + r * stride, stride, panel, sums + r * kPanel);
}
#endif

}  // namespace

bool has_fast_int8() {
#ifdef __x86_64__
    return best_simd() >= Simd::avx512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

std::int64_t int8_linear_size(std::int64_t in, std::int64_t out) {
    return panels_of(out) * int8_inputs(in) * kPanel;
}

void pack_int8_linear(const float* weight, std::int64_t in, std::int64_t out, std::int8_t* packed, float* scale,
                      std::int32_t* offset) {
    std::fill_n(packed, int8_linear_size(in, out), std::int8_t{0});
    for (std::int64_t c = 0; c < out; ++c) {
        const float* const row = weight + c * in;
        float largest = 0;
        for (std::int64_t i = 0; i < in; ++i) largest = std::max(largest, std::abs(row[i]));
        const float inverse = largest > 0 ? 127 / largest : 0;
        scale[c] = largest / 127;
        offset[c] = 0;
        std::int8_t* const to = packed + c / kPanel * int8_inputs(in) * kPanel + c % kPanel * 4;
        for (std::int64_t i = 0; i < in; ++i) {
            const auto value = static_cast<std::int8_t>(std::clamp(nearest(row[i] * inverse), -127.0F, 127.0F));
            to[i / 4 * 4 * kPanel + i % 4] = value;
            offset[c] += 128 * value;
        }
    }
}

void int8_round_cpu(const Int8Linear& job, Tasks tasks) {
    run(best_simd(), [&]() OMNISYNC_INLINE {
        for (std::int64_t row = tasks.begin; row < tasks.end; ++row) {
            const float* const x = job.x + row * job.in;
            std::uint8_t* const to = job.rounded + row * int8_inputs(job.in);
            std::int32_t bits = 0;  // sizes compare as their bits do, and whole numbers in vectors
            for (std::int64_t i = 0; i < job.in; ++i) bits = std::max(bits, bit_cast<std::int32_t>(x[i]) & 0x7fffffff);
            const auto largest = bit_cast<float>(bits);
            const float inverse = largest > 0 ? 127 / largest : 0;
            // Adding 1.5 * 2^23 rounds to a whole number, which is then the low byte.
            for (std::int64_t i = 0; i < job.in; ++i)
                to[i] = static_cast<std::uint8_t>(bit_cast<std::uint32_t>(x[i] * inverse + 12583040.0F));
            for (std::int64_t i = job.in; i < int8_inputs(job.in); ++i) to[i] = 128;
            job.row_scale[row] = largest / 127;
        }
    });
}

std::int64_t int8_linear_tasks(const Int8Linear& job) {
    return row_blocks(job) * panels_of(job.columns);
}

void int8_linear_cpu(const Int8Linear& job, Tasks tasks, [[maybe_unused]] Int8Code code) {
    const std::int64_t stride = int8_inputs(job.in);
    run(best_simd(), [&]() OMNISYNC_INLINE {
        alignas(64) std::int32_t sums[kTaskRows * kPanel];
        for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
            const std::int64_t row = task % row_blocks(job) * kTaskRows;
            const std::int64_t panel = task / row_blocks(job);
            const std::int64_t rows = std::min(kTaskRows, job.rows - row);
            const std::uint8_t* const x = job.rounded + row * stride;
            const std::int8_t* const weight = job.weight + panel * stride * kPanel;
#ifdef __x86_64__
            if (code == Int8Code::vnni)
                sum_by_vnni(x, stride, rows, weight, sums);
            else
#endif
                sum_plainly(x, stride, rows, weight, sums);
            give(job, row, rows, panel * kPanel, sums);
        }
    });
}

}  // namespace omnisync::kernels
