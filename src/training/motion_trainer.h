// Trains the motion planner of the portable engine.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engines/portable/motion_planner.h"
#include "training/footage.h"
#include "training/motion_samples.h"
#include "training/trainer.h"
#include "training/validate_motion.h"

namespace omnisync::training {

using MotionTraining = TrainingOf<MotionSampling, portable::MotionConfig>;

class MotionTrainer final : public Trainer {
public:
    explicit MotionTrainer(const MotionTraining& training);
    ~MotionTrainer() override;

    /// With the averaged weights, from still mouths.
    [[nodiscard]] MotionScore score(const Footage& held_out, const portable::PlanOptions& options) const;

private:
    struct State;
    MotionTrainer(const MotionTraining& training, std::unique_ptr<State> state);
    [[nodiscard]] std::vector<at::Tensor> losses(std::int64_t turn) const override;

    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
