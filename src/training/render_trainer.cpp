#include "training/render_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>

#include <optional>
#include <utility>

#include "training/mixed_precision.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

using portable::RenderNet;

constexpr double kDropGeometry = 0.1;
constexpr double kMouthWeight = 5;
constexpr double kSharpestLevel = 0.5;
constexpr double kRound = 0.02;  // errors smaller than this count by their square

}  // namespace

struct RenderTrainer::State {
    RenderTraining training;
    weights::Parameters parameters;
    RenderNet net;
    RenderSampler sampler;

    explicit State(const RenderTraining& given)
        : training(given),
          parameters(weights::Parameters::fresh(given.sampling.seed)),
          net(weights::Scope(parameters), given.model),
          sampler(load_to_learn(given.footage), given.sampling) {}
};

RenderTrainer::RenderTrainer(const RenderTraining& training)
    : RenderTrainer(training, std::make_unique<State>(training)) {}
RenderTrainer::RenderTrainer(const RenderTraining& training, std::unique_ptr<State> state)
    : Trainer("render", Optimiser(state->parameters, training.optimiser), training.peers), state_(std::move(state)) {}
RenderTrainer::~RenderTrainer() = default;

std::vector<at::Tensor> RenderTrainer::losses(std::int64_t turn) const {
    const State& s = *state_;
    at::Generator random = generator_of(s.training.sampling.seed + 1, turn);
    const std::int64_t size = s.training.sampling.batch;
    const at::Tensor level = at::sigmoid(at::randn({size}, random) + 0.7);  // logit-normal, towards noise
    const RenderBatch batch = s.sampler.batch(turn, level);
    const auto condition = portable::render_condition(batch.source, batch.exemplar, batch.second, batch.target);
    const at::Tensor known = (at::rand({size}, random) >= kDropGeometry).to(at::kFloat);
    const at::Tensor t = level.view({-1, 1, 1, 1});
    const at::Tensor noisy = batch.truth * (1 - t) + at::randn(batch.truth.sizes(), random) * t;
    std::optional<MixedPrecision> precision(std::in_place, s.training.mixed_precision);
    const at::Tensor correction = s.net.denoise(noisy, level, condition, known);
    precision.reset();
    const at::Tensor clean = apply_correction(correction, condition);
    const at::Tensor weight =
        (1 + (kMouthWeight - 1) * condition.proposal.mouth).unsqueeze(1) / t.clamp_min(kSharpestLevel);
    // Nearly the absolute error: its best guess among unlike mouths is one of them, the square's is their blur.
    const at::Tensor error = ((clean - batch.truth).square() + kRound * kRound).sqrt();
    return {(error * weight).mean()};
}

RenderResults RenderTrainer::validate(const RenderSampler& held_out, const RenderTrial& trial) const {
    weights::Parameters weights = averaged();
    return try_render(RenderNet(weights::Scope(weights), state_->training.model), held_out, trial);
}

}  // namespace omnisync::training
