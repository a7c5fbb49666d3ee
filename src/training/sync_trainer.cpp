#include "training/sync_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool1d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/diagonal.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/softmax.h>
#include <ATen/ops/where.h>

#include <utility>

#include "training/mixed_precision.h"

namespace omnisync::training {
namespace {

using evaluation::SyncNet;

constexpr double kTruthSpread_s = 0.01;  // of the target over offsets
constexpr double kLeastShare = 0.5;      // of a window that must have sound for an offset to count
constexpr std::int64_t kPart = 7;        // frames of a short window
constexpr double kPartWeight = 0.3;
constexpr double kOtherWeight = 0.7;
constexpr std::int64_t kOtherStep = 3;  // of other clips every third offset will do
constexpr double kMostSharpness = 4.6;  // ln 100
constexpr double kImpossible = -1e4;

/// Cross entropy of `logits` [..., K] where `there`, against a narrow bell over the true offset; mean over rows that
/// have the true one.
at::Tensor offset_loss(const at::Tensor& logits, const at::Tensor& there) {
    const std::int64_t middle = kSyncOffsets / 2;
    const at::Tensor away = (at::arange(kSyncOffsets, at::kFloat) - middle) * (kSyncStep_s / kTruthSpread_s);
    const at::Tensor bell = at::where(there, (away.square() * -0.5).exp(), 0.0);
    const at::Tensor target = bell / bell.sum(-1, true).clamp_min(1e-6);
    const at::Tensor entropy = -(target * at::log_softmax(at::where(there, logits, kImpossible), -1)).sum(-1);
    const at::Tensor known = there.select(-1, middle).to(at::kFloat);
    return (entropy * known).sum() / known.sum().clamp_min(1);
}

/// -ln of the share that the truth [B] has beside `others` [B, n].
at::Tensor against(const at::Tensor& truth, const at::Tensor& others) {
    return -at::log_softmax(at::cat({truth.unsqueeze(1), others}, 1), 1).select(1, 0).mean();
}

}  // namespace

at::Tensor sync_loss(const SyncNet& net, const SyncBatch& batch) {
    const std::int64_t size = batch.shape.size(0), width = batch.shape.size(1);
    const at::Tensor seen = net.see(batch.shape, batch.mouth).to(at::kFloat);
    const at::Tensor heard = net.hear(batch.mel).to(at::kFloat);
    const at::Tensor all =
        at::matmul(seen.flatten(0, 1), heard.flatten(0, 1).t()).view({size, width, size, heard.size(1)});
    const at::Tensor likeness = evaluation::read_likeness(all.transpose(1, 2), batch.places);  // [B, B, W, K]
    // [seen, heard, W, K]: both must be there.
    const at::Tensor pairs = batch.seen_valid.view({size, 1, width, 1}) * batch.sound_valid.unsqueeze(0);
    const at::Tensor count = pairs.sum(2);
    const at::Tensor mean = (likeness * pairs).sum(2) / count.clamp_min(1);
    const at::Tensor there = count >= kLeastShare * static_cast<double>(width);
    const at::Tensor sharp = net.sharpness().clamp_max(kMostSharpness).exp();

    const at::Tensor own = at::diagonal(mean, 0, 0, 1).t();  // [B, K]
    const at::Tensor own_there = at::diagonal(there, 0, 0, 1).t();
    at::Tensor loss = offset_loss(own * sharp[0], own_there);

    const at::Tensor single = at::diagonal(likeness * pairs, 0, 0, 1).permute({2, 1, 0});  // [B, K, W]
    const at::Tensor single_pairs = at::diagonal(pairs, 0, 0, 1).permute({2, 1, 0});
    const at::Tensor parts = at::avg_pool1d(single, {kPart}, {kPart}).transpose(1, 2);
    const at::Tensor whole = at::avg_pool1d(single_pairs, {kPart}, {kPart}).transpose(1, 2) > 0.99;
    loss = loss + kPartWeight * offset_loss(parts * sharp[1], whole);

    // The truth against every offset of everybody else.
    const at::Tensor truth = own.select(1, kSyncOffsets / 2) * sharp[0];
    const at::Tensor usable = there & at::eye(size, at::kFloat).eq(0).unsqueeze(-1);
    const at::Tensor others = at::where(usable, mean * sharp[0], kImpossible).slice(2, 0, kSyncOffsets, kOtherStep);
    const at::Tensor by_seen = against(truth, others.flatten(1));
    const at::Tensor by_heard = against(truth, others.transpose(0, 1).flatten(1));
    return loss + kOtherWeight * 0.5 * (by_seen + by_heard);
}

struct SyncTrainer::State {
    SyncTraining training;
    weights::Parameters parameters;
    SyncNet net;
    SyncSampler sampler;

    explicit State(const SyncTraining& given)
        : training(given),
          parameters(weights::Parameters::fresh(given.sampling.seed)),
          net(sharpened(parameters), given.model),
          sampler(clips(load_to_learn(given.footage)), given.sampling) {}

    /// Likenesses are at most 1; a softmax over them begins clear of blur.
    static weights::Scope sharpened(weights::Parameters& parameters) {
        const weights::Scope scope(parameters);
        scope.get("sharpness", {2}, weights::Init::ones).fill_(2.7);
        return scope;
    }
    static std::vector<std::vector<SyncClip>> clips(const std::vector<Footage>& footage) {
        std::vector<std::vector<SyncClip>> all;
        for (const Footage& one : footage) all.push_back(sync_clips(one));
        return all;
    }
};

SyncTrainer::SyncTrainer(const SyncTraining& training) : SyncTrainer(training, std::make_unique<State>(training)) {}
SyncTrainer::SyncTrainer(const SyncTraining& training, std::unique_ptr<State> state)
    : Trainer("sync", Optimiser(state->parameters, training.optimiser), training.peers), state_(std::move(state)) {}
SyncTrainer::~SyncTrainer() = default;

std::vector<at::Tensor> SyncTrainer::losses(std::int64_t turn) const {
    const State& s = *state_;
    const SyncBatch batch = s.sampler.batch(turn);
    const MixedPrecision precision(s.training.mixed_precision);
    return {sync_loss(s.net, batch)};
}

SyncScore SyncTrainer::score(const Footage& held_out, const SyncTrial& trial) const {
    weights::Parameters weights = averaged();
    return mean_of(score_sync(SyncNet(weights::Scope(weights), state_->training.model), held_out, trial));
}

}  // namespace omnisync::training
