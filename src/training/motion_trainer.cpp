#include "training/motion_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <utility>

#include "omnisync/error.h"
#include "speech/log_mel.h"
#include "training/mixed_precision.h"
#include "training/random.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

using portable::kComponents;
using portable::MotionBasis;
using portable::MotionNet;

constexpr double kDropSpeech = 0.15;   // how often the null condition is learned
constexpr double kDropFeature = 0.4;   // of what the ear hears: few speakers' lips are learned by heart else
constexpr double kDropStyle = 0.3;     // a new speaker's deviation is not always known
constexpr double kCarry = 0.5;         // how often a window begins with given frames
constexpr double kOpeningWeight = 2;   // the lips' opening is what people read
constexpr double kLipsTeachEar = 0.1;  // of their gradient, where a teacher shows the ear what to hear
constexpr double kTeacherWeight = 3;
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

bool is_ear(const std::string& name) {
    return name.starts_with("ear.");
}

/// Mean square error of what the ear hears against what the teacher did.
at::Tensor teacher_error(const at::Tensor& heard, const MotionBatch& batch) {
    const at::Tensor error = (heard.transpose(1, 2).to(at::kFloat) - batch.taught).square().mean(-1);
    return (error * batch.listened).sum() / batch.listened.sum().clamp_min(1);
}

}  // namespace

struct MotionTrainer::State {
    MotionTraining training;
    weights::Parameters parameters;
    MotionBasis basis;
    TeacherSpace teacher;
    MotionNet net;
    MotionSampler sampler;

    explicit State(const MotionTraining& given) : State(given, load_to_learn(given.footage, Clips::all)) {}
    State(const MotionTraining& given, const std::vector<Footage>& footage)
        : training(given),
          parameters(weights::Parameters::fresh(given.sampling.seed)),
          basis(learn_basis(footage, parameters)),
          teacher(footage, given.model.heard_width),
          net(weights::Scope(parameters), given.model),
          sampler(clips(footage, basis, teacher), given.sampling) {
        if (!given.ear.empty()) take_ear(weights::load_safetensors(given.ear));
    }

    void take_ear(const weights::TensorFile& file) {
        for (const auto& [name, tensor] : parameters.tensors()) {
            if (!is_ear(name)) continue;
            const auto found = file.tensors.find(name);
            require(found != file.tensors.end() && found->second.sizes() == tensor.sizes(), ExitCode::bad_data,
                    training.ear, ": no ear of this shape in it ('", name, "')");
            tensor.copy_(found->second);
        }
    }
    /// What is not learned.
    [[nodiscard]] std::vector<std::string> fixed() const {
        std::vector<std::string> names{"basis.axes", "basis.deviation"};
        for (const auto& [name, tensor] : parameters.tensors())
            if (!training.ear.empty() && is_ear(name)) names.push_back(name);
        return names;
    }

    static MotionBasis learn_basis(const std::vector<Footage>& footage, weights::Parameters& parameters) {
        std::vector<at::Tensor> offsets;
        for (const Footage& one : footage) offsets.push_back(motion_offsets(one));
        require(at::cat(offsets).size(0) > 0, ExitCode::bad_data, footage.front().path, ": no faces to learn from");
        MotionBasis basis(weights::Scope{parameters});
        const MotionBasis found = MotionBasis::of(at::cat(offsets));
        basis.axes.copy_(found.axes);
        basis.deviation.copy_(found.deviation);
        return basis;
    }
    static std::vector<std::vector<MotionClip>> clips(const std::vector<Footage>& footage, const MotionBasis& basis,
                                                      const TeacherSpace& teacher) {
        std::vector<std::vector<MotionClip>> all;
        for (const Footage& one : footage) all.push_back(motion_clips(one, basis, &teacher));
        return all;
    }
};

MotionTrainer::MotionTrainer(const MotionTraining& training)
    : MotionTrainer(training, std::make_unique<State>(training)) {}
MotionTrainer::MotionTrainer(const MotionTraining& training, std::unique_ptr<State> state)
    : Trainer("motion", Optimiser(state->parameters, training.optimiser, state->fixed()), training.peers),
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
        (at::rand({size, 1, s.training.model.heard_width}, random) >= kDropFeature).to(at::kFloat) / (1 - kDropFeature);
    const at::Tensor all = s.net.hear(batch.mel);
    const bool taught = batch.taught.defined() && s.training.ear.empty();
    const double taught_by_lips = taught ? kLipsTeachEar : 1;
    const at::Tensor for_lips = all * taught_by_lips + all.detach() * (1 - taught_by_lips);
    const at::Tensor heard = MotionNet::read(for_lips, batch.positions) * kept;
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
    std::vector<at::Tensor> parts{expected_loss, denoised_loss};
    if (taught) parts.push_back(kTeacherWeight * teacher_error(all, batch));
    return parts;
}

MotionScore MotionTrainer::score(const Footage& held_out, const portable::PlanOptions& options) const {
    weights::Parameters weights = averaged();
    const weights::Scope scope(weights);
    return mean_of(score_clips(MotionNet(scope, state_->training.model), MotionBasis(scope), held_out, options,
                               StartMotion::still));
}

std::optional<double> MotionTrainer::heard_of_teacher(const Footage& held_out) const {
    const bool taught = state_->teacher.known() && state_->training.ear.empty();  // another's ear: in another space
    if (!taught || !held_out.teacher.defined()) return {};
    const c10::InferenceMode inference;
    weights::Parameters weights = averaged();
    const MotionNet net(weights::Scope(weights), state_->training.model);
    double missed = 0, all = 0;
    for (const MotionClip& clip : motion_clips(held_out, state_->basis, &state_->teacher)) {
        const at::Tensor heard =
            net.hear(speech::normalise(clip.power, speech::measure_level(clip.power)).unsqueeze(0));
        const at::Tensor times = at::arange(clip.taught.size(0), at::kFloat) * clip.taught_step_s + clip.taught_first_s;
        const at::Tensor read = MotionNet::read(heard, times.unsqueeze(0) * portable::kHeardRateHz)[0];
        missed += (read - clip.taught).square().sum().item<double>();
        all += clip.taught.square().sum().item<double>();
    }
    return 1 - missed / std::max(all, 1e-9);
}

}  // namespace omnisync::training
