// One mouth through neighbouring pictures of the output: what it does now, and what it is to do.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engines/portable/habit.h"
#include "engines/portable/motion_basis.h"
#include "engines/portable/motion_planner.h"
#include "engines/stretches.h"
#include "omnisync/engine.h"

namespace omnisync::portable {

/// A voice as the planner wants it.
struct Utterance {
    at::Tensor heard;     ///< [1, heard_width, T50]
    at::Tensor activity;  ///< [T + 2, 1] at 100 Hz, from 10 ms before the voice to 10 ms after it, 0 at both ends
    double start_s = 0;   ///< on the output's timeline
};
/// What was asked for, and the planner's own choices for the rest. Track and place are the caller's.
[[nodiscard]] PlanOptions plan_options(const EngineOptions& asked);

/// Reads the whole voice.
[[nodiscard]] Utterance listen(const MotionNet& net, const Voice& voice);

/// A stretch with what its mouth is to do.
struct Performance : Stretch {
    at::Tensor targets;                  ///< [length, 68, 2]: canonical landmarks to show
    std::vector<std::size_t> exemplars;  ///< index into the person's bank, its size: the frame's own mouth; empty when
                                         ///< there is no bank
    std::vector<std::size_t> seconds;    ///< another one for each, where a corrector asks for it; else empty
};

/// Fills in `targets`: the landmarks of each shown frame with the planned motion in place of the mouth's own.
void plan(Performance& performance, const EngineJob& job, const MotionNet& net, const MotionBasis& basis,
          const Habit& habit, const Utterance& utterance);

}  // namespace omnisync::portable
