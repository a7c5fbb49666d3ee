// One step of a guided sampling in one pass: the branches' velocities are combined, the latents move, and the next
// step's patches are laid out.
//
//   v := base                                   what the model predicts
//   v := first + first_scale (base - first)     where there is a branch that is told less
//   v := v + w(y, x, frame) (last - base)       where there is one that is told more
//   out := x + dt ((1 + ahead) v - ahead previous);  previous := v
//
// w is `scale`, or in the field of a frame's mouth max(floor, scale (outside + (1 - outside) exp(-d^2 / (2 sigma^2)))),
// d being the distance from the mouth (DS-CFG: OmniSync paper, section 3.3). Four numbers for each frame: no map of
// weights is made or read. ahead = 0 is Euler's step, else Adams-Bashforth's of second order (diffusion/schedule.h).
//
// Arithmetic is float32. CPU variants and splits give the same bits.
//
// Accuracy: within kGuidedStepError 2^-24 of the sum of the magnitudes of the formula's terms, times 1 + d^2 / (2
// sigma^2) in a field; tokens are rounded to their type on top.
#pragma once

#include <cstdint>

#include "kernels/simd.h"
#include "kernels/types.h"

namespace omnisync::kernels {

/// [channels, frames, rows, columns]; columns are adjacent, strides count elements. Without data: absent.
template <class Pointer>
struct Latents {
    Pointer data = nullptr;
    std::int64_t channel_stride = 0;
    std::int64_t frame_stride = 0;
    std::int64_t row_stride = 0;
};

/// A frame's mouth, in latent cells with centres at 0, 1, ...
struct Mouth {
    float row = 0;
    float column = 0;
    float sigma = 1;    ///< > 0
    float outside = 0;  ///< the weight far away, as a part of the weight at the mouth
};

struct GuidedStep {
    std::int64_t channels = 0;
    std::int64_t frames = 0;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    Latents<const float*> x{};
    Latents<float*> out{};  ///< may be x itself
    Type velocity_type = Type::f32;
    Latents<const void*> base{};
    Latents<const void*> first{};  ///< absent: no such branch
    Latents<const void*> last{};   ///< absent: no such branch
    float first_scale = 1;
    float scale = 1;
    float floor = 0;
    const Mouth* mouths = nullptr;  ///< one for each frame; null: `scale` everywhere, without the floor
    float dt = 0;
    float ahead = 0;
    Latents<float*> previous{};  ///< absent: ahead is 0, and nobody asks for the velocity
    /// Patches of 2 x 2: [frames, rows / 2, columns / 2, channels, 2, 2], adjacent; absent: not wanted. Rows and
    /// columns are even then.
    void* tokens = nullptr;
    Type token_type = Type::f32;
};

/// In the header's terms.
inline constexpr double kGuidedStepError = 8;

/// One task is two rows of one frame, all channels.
[[nodiscard]] inline std::int64_t guided_step_tasks(const GuidedStep& job) {
    return job.frames * ((job.rows + 1) / 2);
}

void guided_step_cpu(const GuidedStep& job, Tasks tasks, Simd simd = best_simd());

/// Asynchronous: the job's memory, mouths included, is the device's and outlives the work on the stream. Throws
/// Error(unavailable) when this program has no CUDA, Error(internal) when the launch fails.
void guided_step_cuda(const GuidedStep& job, Stream stream);

}  // namespace omnisync::kernels
