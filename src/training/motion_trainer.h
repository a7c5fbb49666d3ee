// Trains the motion planner of the portable engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/portable/motion_planner.h"
#include "training/footage.h"
#include "training/motion_samples.h"
#include "training/optimiser.h"
#include "training/validate_motion.h"

namespace omnisync::training {

struct MotionLosses {
    double expected = 0;  ///< of the expectation
    double denoised = 0;  ///< of the diffusion transformer
};

struct MotionTraining {
    std::vector<std::string> footage;  ///< shards to learn from; each is drawn from equally often
    OptimiserConfig optimiser;
    MotionSampling sampling;
    portable::MotionConfig model;
    bool mixed_precision = false;  ///< see MixedPrecision
    Peers* peers = nullptr;        ///< the run's other processes, each of which learns from samples of its own
};

/// One training run. Step k depends on the seed and what the steps before left, nothing else.
class MotionTrainer {
public:
    explicit MotionTrainer(const MotionTraining& training);
    ~MotionTrainer();

    /// One optimiser step.
    MotionLosses step();
    [[nodiscard]] std::int64_t steps_done() const;

    /// With the averaged weights, from still mouths.
    [[nodiscard]] MotionScore score(const Footage& held_out, const portable::PlanOptions& options) const;

    /// Everything that step() needs to go on exactly, and what a planner needs alone.
    void save_checkpoint(const std::string& path, const Settings& settings = {}) const;
    void load_checkpoint(const std::string& path, const Settings& settings = {});
    void save_model(const std::string& path, bool overwrite) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
