// Trains the render net of the portable engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engines/portable/render_net.h"
#include "training/footage.h"
#include "training/optimiser.h"
#include "training/render_samples.h"
#include "training/validate_render.h"

namespace omnisync::training {

struct RenderTraining {
    std::vector<std::string> footage;  ///< shards with pictures; each is drawn from equally often
    OptimiserConfig optimiser;
    RenderSampling sampling;
    portable::RenderConfig model;
    bool mixed_precision = false;  ///< see MixedPrecision
    Peers* peers = nullptr;        ///< the run's other processes, each of which learns from samples of its own
};

/// One training run. Step k depends on the seed and what the steps before left, nothing else.
class RenderTrainer {
public:
    explicit RenderTrainer(const RenderTraining& training);
    ~RenderTrainer();

    /// One optimiser step; the loss.
    double step();
    [[nodiscard]] std::int64_t steps_done() const;

    /// With the averaged weights.
    [[nodiscard]] RenderResults validate(const RenderSampler& held_out, const RenderTrial& trial) const;

    void save_checkpoint(const std::string& path, const Settings& settings = {}) const;
    void load_checkpoint(const std::string& path, const Settings& settings = {});
    void save_model(const std::string& path, bool overwrite) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
