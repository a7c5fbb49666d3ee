#include "kernels/launch.cuh"
#include "kernels/noise.h"
#include "kernels/noise_math.h"

namespace omnisync::kernels {
namespace {

/// Blocks of four elements that a row can touch.
std::int64_t blocks_per_row(const NoiseWindow& window) {
    const bool aligned = window.first_element % 4 == 0 && window.columns % 4 == 0;
    return aligned ? window.columns / 4 : (window.columns + 6) / 4;
}

/// Calls `write(frame, row, column, normal)` for each element of this thread's block. One thread, one block.
template <class Write>
__device__ void for_each_normal(const NoiseWindow& window, std::int64_t row_blocks, Write write) {
    const std::int64_t index = thread_index();
    if (index >= window.frames * window.rows * row_blocks) return;
    const std::int64_t frame_row = index / row_blocks;
    const std::int64_t frame = frame_row / window.rows;
    const std::int64_t row = frame_row % window.rows;
    const std::int64_t row_begin = window.first_element + row * window.columns;
    const std::int64_t block = row_begin / 4 + index % row_blocks;
    const noise_math::Normals four =
        noise_math::normals(window.seed, window.track, window.first_frame + frame, static_cast<std::uint32_t>(block));
    for (int i = 0; i < 4; ++i) {
        const std::int64_t column = block * 4 + i - row_begin;
        if (column >= 0 && column < window.columns) write(frame, row, column, four.z[i]);
    }
}

template <class Pointer>
__device__ std::int64_t offset(const NoiseTensor<Pointer>& tensor, std::int64_t frame, std::int64_t row,
                               std::int64_t column) {
    return frame * tensor.frame_stride + row * tensor.row_stride + column;
}

template <class Out>
__global__ void noise_kernel(Noise job, std::int64_t row_blocks) {
    for_each_normal(job.window, row_blocks,
                    [&](std::int64_t frame, std::int64_t row, std::int64_t column, float normal) {
                        static_cast<Out*>(job.out.data)[offset(job.out, frame, row, column)] = from_float<Out>(normal);
                    });
}

template <class Out, class Source>
__global__ void start_from_source_kernel(StartFromSource job, std::int64_t row_blocks) {
    const float keep = 1.0F - job.tau;
    for_each_normal(
        job.window, row_blocks, [&](std::int64_t frame, std::int64_t row, std::int64_t column, float normal) {
            const float source =
                to_float(static_cast<const Source*>(job.source.data)[offset(job.source, frame, row, column)]);
            static_cast<Out*>(job.out.data)[offset(job.out, frame, row, column)] =
                from_float<Out>(keep * source + job.tau * normal);
        });
}

}  // namespace

void noise_cuda(const Noise& job, Stream stream) {
    const std::int64_t row_blocks = blocks_per_row(job.window);
    const std::int64_t threads = job.window.frames * job.window.rows * row_blocks;
    with_type(job.out.type, [&]<class Out>(Out) { launch(noise_kernel<Out>, threads, stream, job, row_blocks); });
}

void start_from_source_cuda(const StartFromSource& job, Stream stream) {
    const std::int64_t row_blocks = blocks_per_row(job.window);
    const std::int64_t threads = job.window.frames * job.window.rows * row_blocks;
    with_type(job.out.type, [&]<class Out>(Out) {
        with_type(job.source.type, [&]<class Source>(Source) {
            launch(start_from_source_kernel<Out, Source>, threads, stream, job, row_blocks);
        });
    });
}

}  // namespace omnisync::kernels
