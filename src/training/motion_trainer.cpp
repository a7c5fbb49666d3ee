#include "training/motion_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <optional>
#include <utility>

#include "training/mixed_precision.h"
#include "training/random.h"

namespace omnisync::training {
namespace {

using portable::kComponents;
using portable::MotionBasis;
using portable::MotionNet;

constexpr double kDropSpeech = 0.15;   // how often the null condition is learned
constexpr double kDropFeature = 0.15;  // of what the ear hears
constexpr double kDropStyle = 0.3;     // a new speaker's deviation is not always known
constexpr double kCarry = 0.5;         // how often a window begins with given frames
constexpr double kOpeningWeight = 2;   // the lips' opening is what people read
constexpr double kOffsetWeight = 0.2;  // a short clip's mean is not its speaker's rest

/// Weighted square error of motion, per sample [B]: a window's mean error counts less than its course.
at::Tensor motion_error(const at::Tensor& made, const at::Tensor& truth, const at::Tensor& valid,
                        const MotionBasis& basis) {
    const at::Tensor mask = valid.unsqueeze(-1);
    const at::Tensor count = valid.sum(1).clamp_min(1);
    const at::Tensor error = (made - truth) * mask;
    const at::Tensor mean = error.sum(1, true) / count.view({-1, 1, 1});
    const at::Tensor course = (error - mean) * mask;
    const at::Tensor variance = basis.deviation.square();
    const at::Tensor axes = variance / variance.sum() + 0.1 / kComponents;
    const at::Tensor shape = ((course.square() + kOffsetWeight * mean.square() * mask) * axes).sum(-1).sum(1) / count;
    const at::Tensor lips = basis.opening_of();
    const at::Tensor opening = at::matmul(course, lips / lips.norm()).square().sum(1) / count;
    return shape + kOpeningWeight * opening;
}

}  // namespace

struct MotionTrainer::State {
    MotionTraining training;
    weights::Parameters parameters;
    MotionBasis basis;
    MotionNet net;
    MotionSampler sampler;

    explicit State(const MotionTraining& given) : State(given, load_to_learn(given.footage)) {}
    State(const MotionTraining& given, const std::vector<Footage>& footage)
        : training(given),
          parameters(weights::Parameters::fresh(given.sampling.seed)),
          basis(learn_basis(footage, parameters)),
          net(weights::Scope(parameters), given.model),
          sampler(clips(footage, basis), given.sampling) {}

    static MotionBasis learn_basis(const std::vector<Footage>& footage, weights::Parameters& parameters) {
        std::vector<at::Tensor> offsets;
        for (const Footage& one : footage) offsets.push_back(motion_offsets(one));
        MotionBasis basis(weights::Scope{parameters});
        const MotionBasis found = MotionBasis::of(at::cat(offsets));
        basis.axes.copy_(found.axes);
        basis.deviation.copy_(found.deviation);
        return basis;
    }
    static std::vector<std::vector<MotionClip>> clips(const std::vector<Footage>& footage, const MotionBasis& basis) {
        std::vector<std::vector<MotionClip>> all;
        for (const Footage& one : footage) all.push_back(motion_clips(one, basis));
        return all;
    }
};

MotionTrainer::MotionTrainer(const MotionTraining& training)
    : MotionTrainer(training, std::make_unique<State>(training)) {}
MotionTrainer::MotionTrainer(const MotionTraining& training, std::unique_ptr<State> state)
    : Trainer("motion", Optimiser(state->parameters, training.optimiser, {"basis.axes", "basis.deviation"}),
              training.peers),
      state_(std::move(state)) {}
MotionTrainer::~MotionTrainer() = default;

std::vector<at::Tensor> MotionTrainer::losses(std::int64_t turn) const {
    const State& s = *state_;
    const MotionBatch batch = s.sampler.batch(turn);
    at::Generator random = generator_of(s.training.sampling.seed, turn);
    const std::int64_t size = batch.motion.size(0);
    const std::int64_t width = batch.motion.size(1);
    const auto chance = [&](double probability) { return (at::rand({size}, random) < probability).to(at::kFloat); };

    const at::Tensor level = at::sigmoid(at::randn({size}, random) + 0.5);  // logit-normal, towards noise
    const at::Tensor carried_frames = (at::rand({size}, random) * 10).floor() * chance(kCarry);
    at::Tensor carried = at::zeros({size, width});
    for (std::int64_t i = 0; i < size; ++i) carried[i].narrow(0, 0, carried_frames[i].item<std::int64_t>()).fill_(1);
    carried = carried * batch.valid;
    const at::Tensor noise = at::randn(batch.motion.sizes(), random);
    const at::Tensor t = level.view({-1, 1, 1});
    const at::Tensor given = carried.unsqueeze(-1);
    const at::Tensor noisy = (batch.motion * (1 - t) + noise * t) * (1 - given) + batch.motion * given;
    const at::Tensor style = batch.style * (1 - chance(kDropStyle)).unsqueeze(-1);
    const at::Tensor deaf = (chance(kDropSpeech) > 0).view({-1, 1, 1});

    std::optional<MixedPrecision> precision(std::in_place, s.training.mixed_precision);
    // Whole features fall away now and then, so that no voice is known by a single one.
    const at::Tensor kept =
        (at::rand({size, 1, s.training.model.ear_width}, random) >= kDropFeature).to(at::kFloat) / (1 - kDropFeature);
    const at::Tensor heard = MotionNet::read(s.net.hear(batch.mel), batch.positions) * kept;
    const at::Tensor expected = s.net.expect(heard).to(at::kFloat);
    const at::Tensor clean = s.net
                                 .denoise({noisy, level, carried, style}, at::where(deaf, s.net.silence(), heard),
                                          at::where(deaf, at::zeros({1}), expected.detach()))
                                 .to(at::kFloat);
    precision.reset();
    const at::Tensor expected_loss = motion_error(expected, batch.motion, batch.valid, s.basis).mean();
    // Predicting the clean motion, an error at level t is one of 1 / t in velocity; small levels must not drown the
    // rest.
    const at::Tensor denoised_loss =
        (motion_error(clean, batch.motion, batch.valid * (1 - carried), s.basis) / level.clamp_min(0.3).square())
            .mean();
    return {expected_loss, denoised_loss};
}

MotionScore MotionTrainer::score(const Footage& held_out, const portable::PlanOptions& options) const {
    weights::Parameters weights = averaged();
    const weights::Scope scope(weights);
    return mean_of(score_clips(MotionNet(scope, state_->training.model), MotionBasis(scope), held_out, options,
                               StartMotion::still));
}

}  // namespace omnisync::training
