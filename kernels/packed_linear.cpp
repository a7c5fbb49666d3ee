#include "kernels/packed_linear.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

#include <algorithm>
#include <cstdint>

namespace omnisync::kernels {
namespace {

constexpr std::int64_t kPanel = 48;     // outputs: three AVX-512 vectors
constexpr std::int64_t kTaskRows = 48;  // of a task
constexpr std::int64_t kSlice = 128;    // of `in`: its part of a panel stays in the first-level cache

std::int64_t panels_of(std::int64_t columns) {
    return (columns + kPanel - 1) / kPanel;
}
std::int64_t row_blocks(const PackedLinear& job) {
    return (job.rows + kTaskRows - 1) / kTaskRows;
}

/// A task's part of the output and its panel.
struct Piece {
    std::int64_t row, rows, column;
    const float* panel;
};
Piece piece_of(const PackedLinear& job, std::int64_t task) {
    const std::int64_t blocks = row_blocks(job);
    const std::int64_t row = task % blocks * kTaskRows;
    const std::int64_t panel = task / blocks;
    return {row, std::min(kTaskRows, job.rows - row), panel * kPanel, job.weight + panel * job.in * kPanel};
}

#define OMNISYNC_BODY "kernels/packed_linear.inc"
#include "kernels/each_variant.inc"

}  // namespace

std::int64_t packed_linear_size(std::int64_t in, std::int64_t out) {
    return panels_of(out) * in * kPanel;
}

void pack_linear(const float* weight, std::int64_t in, std::int64_t out, float* packed) {
    for (std::int64_t first = 0; first < out; first += kPanel)
        for (std::int64_t i = 0; i < in; ++i)
            for (std::int64_t c = first; c < first + kPanel; ++c) *packed++ = c < out ? weight[c * in + i] : 0.0F;
}

std::int64_t packed_linear_tasks(const PackedLinear& job) {
    return row_blocks(job) * panels_of(job.columns);
}

void packed_linear_cpu(const PackedLinear& job, Tasks tasks, Simd simd) {
    run_tasks(simd, job, tasks);
}

}  // namespace omnisync::kernels
