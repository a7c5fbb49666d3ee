// How strongly X-Dub is guided at each level (spec xdub.md, 6.3 to 6.5).
#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/guidance.h"

namespace omnisync::xdub {

/// How the numbers of a step are rounded.
enum class Rounding {
    exact,    ///< not at all: float32 latents, times and scales
    released  ///< bfloat16 after each operation, as in the released run on a GPU
};

/// V = v0 + source (v1 - v0) + speech (v2 - v1), with v0 told nothing, v1 the source, v2 the source and the speech.
struct Guidance {
    double source = 2.5;
    double speech = 10;
    /// Source falls in two slopes (6.4), speech with level^gamma; otherwise both are constant.
    bool dynamic = true;
    double gamma = 1.5;
    /// Speech's scale is never less, the field included.
    double floor = 0;
    diffusion::Interval interval;
    /// What multiplies speech's scale: [frames, rows, columns] of diffusion::mouth_field, or undefined.
    at::Tensor field;
};

struct Scales {
    double source = 1;
    double speech = 1;
    bool in_field = false;  ///< whether Guidance::field multiplies speech's
};

/// A level as the network and the scales see it.
struct StepTime {
    double tau = 0;     ///< 0 .. 1000
    double level = 0;   ///< tau / 1000
    double border = 0;  ///< the border's level: min(level, 0.95)
};

/// Rounded to bfloat16.
[[nodiscard]] double to_bfloat16(double value);

[[nodiscard]] StepTime step_time(double level, Rounding rounding);

/// Without the field. Both 1 outside the guided interval.
[[nodiscard]] Scales scales_at(const Guidance& guidance, double level, Rounding rounding);

}  // namespace omnisync::xdub
