// One training run, whichever model it trains: steps, and the files from which it goes on or a model is used.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "training/optimiser.h"

namespace omnisync::training {

/// What to learn from and how; `Sampling` and `Config` are each model's own.
template <class Sampling, class Config>
struct TrainingOf {
    std::vector<std::string> footage;  ///< shards to learn from; each is drawn from equally often
    OptimiserConfig optimiser;
    Sampling sampling;
    Config model;
    bool mixed_precision = false;  ///< see MixedPrecision
    Peers* peers = nullptr;        ///< the run's other processes, each of which learns from samples of its own
};

/// Step k depends on the seed and what the steps before left, nothing else.
class Trainer {
public:
    virtual ~Trainer() = default;
    Trainer(const Trainer&) = delete;
    Trainer& operator=(const Trainer&) = delete;

    /// One optimiser step; its loss.
    double step();
    [[nodiscard]] std::int64_t steps_done() const { return optimiser_.steps_done(); }

    /// Everything that step() needs to go on exactly, and the averaged weights, what a model's users need alone.
    /// Errors are those of load_state.
    void save_checkpoint(const std::string& path, const Settings& settings = {}) const;
    void load_checkpoint(const std::string& path, const Settings& settings = {});
    void save_model(const std::string& path, bool overwrite) const;

protected:
    /// `model`: its name in the formats of its files. `optimiser`: of everything that is learned.
    Trainer(std::string model, Optimiser optimiser, Peers* peers);
    [[nodiscard]] weights::Parameters averaged() const;

private:
    /// Of batch `turn`, scalars: their sum is learned from.
    [[nodiscard]] virtual std::vector<at::Tensor> losses(std::int64_t turn) const = 0;
    [[nodiscard]] std::string checkpoint_format() const;

    std::string model_;
    Optimiser optimiser_;
    Peers* peers_;
};

}  // namespace omnisync::training
