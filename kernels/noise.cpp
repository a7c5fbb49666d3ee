#include "kernels/noise.h"

#include <algorithm>
#include <cstddef>

#include "kernels/noise_math.h"

namespace omnisync::kernels {
namespace {

constexpr std::int64_t kTaskColumns = 1024;  // 4 KiB of normals stay in the first-level cache
constexpr int kLanes = 16;                   // blocks generated together: one AVX-512 register of each word

std::int64_t tasks_per_row(const NoiseWindow& window) {
    return (window.columns + kTaskColumns - 1) / kTaskColumns;
}

/// A piece of one row.
struct Piece {
    std::int64_t frame;
    std::int64_t row;
    std::int64_t column;
    std::int64_t count;
};

Piece piece_of(const NoiseWindow& window, std::int64_t task) {
    const std::int64_t per_row = tasks_per_row(window);
    const std::int64_t row = task / per_row;
    const std::int64_t column = task % per_row * kTaskColumns;
    return {row / window.rows, row % window.rows, column, std::min(kTaskColumns, window.columns - column)};
}

/// Normals of the blocks that a piece touches; the piece starts at `skip`.
struct Normals {
    alignas(64) float values[kTaskColumns + 4 * kLanes];
    int skip = 0;
};

OMNISYNC_HD void generate(const NoiseWindow& window, const Piece& piece, Normals& normals) {
    const std::int64_t element = window.first_element + piece.row * window.columns + piece.column;
    const auto first_block = static_cast<std::uint32_t>(element / 4);
    normals.skip = static_cast<int>(element % 4);
    const auto blocks = static_cast<int>((normals.skip + piece.count + 3) / 4);
    // Whole groups of lanes, beyond the end too: the compiler's scalar remainder would cost more than it saves.
    for (int group = 0; group < blocks; group += kLanes) {
        float* out = normals.values + 4 * group;
        for (int lane = 0; lane < kLanes; ++lane) {
            const auto block = first_block + static_cast<std::uint32_t>(group + lane);
            const noise_math::Normals four =
                noise_math::normals(window.seed, window.track, window.first_frame + piece.frame, block);
            for (int i = 0; i < 4; ++i) out[4 * lane + i] = four.z[i];
        }
    }
}

template <class Pointer>
OMNISYNC_HD std::ptrdiff_t offset(const NoiseTensor<Pointer>& tensor, const Piece& piece) {
    return piece.frame * tensor.frame_stride + piece.row * tensor.row_stride + piece.column;
}

}  // namespace

std::int64_t noise_tasks(const NoiseWindow& window) {
    return window.frames * window.rows * tasks_per_row(window);
}

void noise_cpu(const Noise& job, Tasks tasks, Simd simd) {
    with_type(job.out.type, [&]<class Out>(Out) {
        run(simd, [&]() OMNISYNC_INLINE {
            Normals normals;
            for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
                const Piece piece = piece_of(job.window, task);
                generate(job.window, piece, normals);
                Out* out = static_cast<Out*>(job.out.data) + offset(job.out, piece);
                const float* noise = normals.values + normals.skip;
                for (std::int64_t i = 0; i < piece.count; ++i) out[i] = from_float<Out>(noise[i]);
            }
        });
    });
}

void start_from_source_cpu(const StartFromSource& job, Tasks tasks, Simd simd) {
    with_type(job.out.type, [&]<class Out>(Out) {
        with_type(job.source.type, [&]<class Source>(Source) {
            run(simd, [&]() OMNISYNC_INLINE {
                Normals normals;
                const float keep = 1.0F - job.tau;
                for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
                    const Piece piece = piece_of(job.window, task);
                    generate(job.window, piece, normals);
                    Out* out = static_cast<Out*>(job.out.data) + offset(job.out, piece);
                    const Source* source = static_cast<const Source*>(job.source.data) + offset(job.source, piece);
                    const float* noise = normals.values + normals.skip;
                    for (std::int64_t i = 0; i < piece.count; ++i)
                        out[i] = from_float<Out>(keep * to_float(source[i]) + job.tau * noise[i]);
                }
            });
        });
    });
}

}  // namespace omnisync::kernels
