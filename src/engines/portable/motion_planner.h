// From speech to the motion of one track's mouth, window by window.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "engines/portable/motion_net.h"

namespace omnisync::portable {

struct PlanOptions {
    int steps = 1;
    double tau = 0.92;    ///< how far the source's motion is noised (progressive initialisation)
    double guidance = 2;  ///< by the speech, at the first step
    double gamma = 1.5;   ///< how guidance decays with the level
    /// The share of the expectation, scaled to the samples' travel, in what comes out. Samples move as people do and
    /// drift; the expectation is in time and flat: together they are in time and move.
    double trust = 0.5;
    std::int64_t carry = 8;  ///< frames that a window takes over from the one before
    std::uint64_t seed = 0;
    std::uint32_t track = 0;
    std::int64_t first = 0;  ///< place of the plan's first frame on the utterance's motion grid; may be negative
};

/// A sampled plan and the expectation it varies around, both [n, kComponents] on the motion grid.
struct MotionPlan {
    at::Tensor motion;
    at::Tensor expected;
};

/// `heard` [1, heard_width, T50]: the whole utterance as the net hears it; `source` [n, kComponents]: the motion that
/// the picture shows now; `style` [kComponents]. The plan has source's n frames, frame i at i / kMotionRateHz seconds
/// of the utterance. Values depend on their place in the utterance, the options and the net alone.
[[nodiscard]] MotionPlan plan_motion(const MotionNet& net, const at::Tensor& heard, const at::Tensor& source,
                                     const at::Tensor& style, const PlanOptions& options);

}  // namespace omnisync::portable
