// Normal noise that depends on nothing but its address: (seed, track, frame, element). Bits are the same on every CPU
// variant, on CUDA, and for any window, batch, split or thread count.
//
// [Noise design] Four neighbouring elements of a frame share one Philox4x32-10 block (Salmon et al., SC11): key = seed,
// counter = (element / 4, track, low and high word of frame). Words 0, 1 and words 2, 3 each become two normals by
// Box-Muller: radius = sqrt(-2 ln u) with 31 bits in u, angle with 32 bits. ln, sin and cos are polynomials of IEEE
// additions and multiplications in a fixed order, without fused operations (noise_math.h); with them and the correctly
// rounded square root, no step leaves room for a difference.
//
// Accuracy, against the exact transform of the same words in double precision, over all words: the radius is within
// 1.5e-7 of its value, cosine and sine within 1.1e-7, so each normal is within kNoiseError times its pair's radius.
// Values reach 6.66. docs/kernels.md has moments and the Kolmogorov-Smirnov distance.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

/// Which noise: elements of `frames` consecutive frames, each `rows` x `columns`, in that order within a frame.
struct NoiseWindow {
    std::uint64_t seed = 0;
    std::uint32_t track = 0;
    std::int64_t first_frame = 0;    ///< any value; negative frames are as good as others
    std::int64_t first_element = 0;  ///< of the frame's elements, the one at row 0, column 0; >= 0
    std::int64_t frames = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;  ///< first_element + rows * columns <= kNoiseElements
};

/// Largest error of a normal, relative to the radius of its pair (at most 6.67).
inline constexpr double kNoiseError = 3.2e-7;

/// A frame has at most so many elements: the block number has 32 bits.
inline constexpr std::int64_t kNoiseElements = std::int64_t{1} << 34;

/// Where the elements lie. Columns are adjacent; strides count elements and may be negative. Writable rows do not
/// overlap.
template <class Pointer>
struct NoiseTensor {
    Pointer data = nullptr;
    Type type = Type::f32;
    std::int64_t frame_stride = 0;
    std::int64_t row_stride = 0;
};

/// out = noise.
struct Noise {
    NoiseWindow window;
    NoiseTensor<void*> out;
};

/// out = (1 - tau) * source + tau * noise in float32, rounded to out's type: where the sampler starts
/// (OmniSync paper, eq. 5). `source` may be `out` itself, with the same type and strides.
struct StartFromSource {
    NoiseWindow window;
    NoiseTensor<void*> out;
    NoiseTensor<const void*> source;
    float tau = 1;  ///< 0..1
};

/// Number of tasks of a job over this window.
[[nodiscard]] std::int64_t noise_tasks(const NoiseWindow& window);

void noise_cpu(const Noise& job, Tasks tasks, Simd simd = best_simd());
void start_from_source_cpu(const StartFromSource& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory is the device's and outlives the work on the stream. Throws Error(unavailable) when
/// this program has no CUDA, Error(internal) when the launch fails.
void noise_cuda(const Noise& job, Stream stream);
void start_from_source_cuda(const StartFromSource& job, Stream stream);

}  // namespace omnisync::kernels
