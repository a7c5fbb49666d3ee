// Trains the sync network: what belongs together must lie closer than the same clip shifted and than other clips.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "evaluation/sync_net.h"
#include "training/optimiser.h"
#include "training/sync_samples.h"
#include "training/validate_sync.h"

namespace omnisync::training {

struct SyncTraining {
    std::vector<std::string> footage;  ///< shards to learn from; each is drawn from equally often
    OptimiserConfig optimiser;
    SyncSampling sampling;
    evaluation::SyncConfig model;
    bool mixed_precision = false;  ///< see MixedPrecision
    Peers* peers = nullptr;        ///< the run's other processes, each of which learns from samples of its own
};

/// The loss of one batch: cross entropies (InfoNCE) over a clip's own offsets, of whole windows and of parts of 0.23 s,
/// and of the truth against all offsets of all other clips, from either side.
[[nodiscard]] at::Tensor sync_loss(const evaluation::SyncNet& net, const SyncBatch& batch);

/// One training run. Step k depends on the seed and what the steps before left, nothing else.
class SyncTrainer {
public:
    explicit SyncTrainer(const SyncTraining& training);
    ~SyncTrainer();

    /// One optimiser step; its loss.
    double step();
    [[nodiscard]] std::int64_t steps_done() const;

    /// With the averaged weights.
    [[nodiscard]] SyncScore score(const Footage& held_out, const SyncTrial& trial) const;

    /// Everything that step() needs to go on exactly, and what scoring needs alone.
    void save_checkpoint(const std::string& path, const Settings& settings = {}) const;
    void load_checkpoint(const std::string& path, const Settings& settings = {});
    void save_model(const std::string& path, bool overwrite) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
