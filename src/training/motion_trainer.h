// Trains the motion planner of the portable engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engines/portable/motion_planner.h"
#include "training/footage.h"
#include "training/motion_samples.h"
#include "training/trainer.h"
#include "training/validate_motion.h"

namespace omnisync::training {

struct MotionTraining : TrainingOf<MotionSampling, portable::MotionConfig> {
    std::string ear;  ///< file of a motion model whose ear is taken and not trained; empty: one is trained
};

class MotionTrainer final : public Trainer {
public:
    explicit MotionTrainer(const MotionTraining& training);
    ~MotionTrainer() override;

    /// With the averaged weights, from still mouths.
    [[nodiscard]] MotionScore score(const Footage& held_out, const portable::PlanOptions& options) const;
    /// How much of what the teacher hears in `held_out` the ear hears too: 1 less the share of its variance that is
    /// missed. Nothing without a teacher there or in the footage learned from, or with an ear taken
    /// from elsewhere.
    [[nodiscard]] std::optional<double> heard_of_teacher(const Footage& held_out) const;

private:
    struct State;
    MotionTrainer(const MotionTraining& training, std::unique_ptr<State> state);
    [[nodiscard]] std::vector<at::Tensor> losses(std::int64_t turn) const override;

    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
