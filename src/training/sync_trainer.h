// Trains the sync network: what belongs together must lie closer than the same clip shifted and than other clips.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "evaluation/sync_net.h"
#include "training/sync_samples.h"
#include "training/trainer.h"
#include "training/validate_sync.h"

namespace omnisync::training {

using SyncTraining = TrainingOf<SyncSampling, evaluation::SyncConfig>;

/// The loss of one batch: cross entropies (InfoNCE) over a clip's own offsets, of whole windows and of parts of 0.23 s,
/// and of the truth against all offsets of all other clips, from either side.
[[nodiscard]] at::Tensor sync_loss(const evaluation::SyncNet& net, const SyncBatch& batch);

class SyncTrainer final : public Trainer {
public:
    explicit SyncTrainer(const SyncTraining& training);
    ~SyncTrainer() override;

    /// With the averaged weights.
    [[nodiscard]] SyncScore score(const Footage& held_out, const SyncTrial& trial) const;

private:
    struct State;
    SyncTrainer(const SyncTraining& training, std::unique_ptr<State> state);
    [[nodiscard]] std::vector<at::Tensor> losses(std::int64_t turn) const override;

    std::unique_ptr<State> state_;
};

}  // namespace omnisync::training
