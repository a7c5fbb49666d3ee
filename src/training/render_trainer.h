// Trains the render net of the portable engine.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "engines/portable/render_net.h"
#include "training/footage.h"
#include "training/render_samples.h"
#include "training/trainer.h"
#include "training/validate_render.h"

namespace omnisync::training {

/// Of shards with pictures.
using RenderTraining = TrainingOf<RenderSampling, portable::RenderConfig>;

class RenderTrainer final : public Trainer {
public:
    explicit RenderTrainer(const RenderTraining& training);
    ~RenderTrainer() override;

    /// With the averaged weights.
    [[nodiscard]] RenderResults validate(const RenderSampler& held_out, const RenderTrial& trial) const;

private:
    struct State;
    RenderTrainer(const RenderTraining& training, std::unique_ptr<State> state);
    [[nodiscard]] std::vector<at::Tensor> losses(std::int64_t turn) const override;

    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
