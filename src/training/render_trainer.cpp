#include "training/render_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "diffusion/flow.h"
#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "training/mixed_precision.h"
#include "training/random.h"
#include "weights/safetensors.h"

namespace omnisync::training {
namespace {

using portable::RenderNet;

constexpr double kDropGeometry = 0.1;
constexpr double kMouthWeight = 5;
constexpr double kSharpestLevel = 0.5;

/// [B]: PSNR where `weight` [B, H, W] is, of pixels of -1 .. 1.
at::Tensor psnr(const at::Tensor& made, const at::Tensor& truth, const at::Tensor& weight) {
    const at::Tensor error = ((made.clamp(-1, 1) - truth) / 2).square() * weight.unsqueeze(1);
    return (error.sum({1, 2, 3}) / (3 * weight.sum({1, 2}))).clamp_min(1e-9).log10() * -10;
}

/// [B]: variance of the Laplacian of luma where `weight` is.
at::Tensor sharpness(const at::Tensor& pixels, const at::Tensor& weight) {
    static const at::Tensor laplacian = at::tensor({0.F, 1.F, 0.F, 1.F, -4.F, 1.F, 0.F, 1.F, 0.F}).view({1, 1, 3, 3});
    const at::Tensor luma =
        (pixels.clamp(-1, 1) * at::tensor({0.299F, 0.587F, 0.114F}).view({1, 3, 1, 1})).sum(1, true);
    const at::Tensor edges = at::conv2d(luma, laplacian, {}, {1, 1}, {1, 1}).squeeze(1);
    const at::Tensor sum = weight.sum({1, 2});
    const at::Tensor mean = (edges * weight).sum({1, 2}) / sum;
    return ((edges - mean.view({-1, 1, 1})).square() * weight).sum({1, 2}) / sum;
}

}  // namespace

RenderScore score_render(const RenderNet& net, const RenderSampler& held_out, const portable::RenderSteps& steps,
                         std::int64_t batches) {
    const c10::InferenceMode inference;
    const at::Tensor points = geometry::window_points();
    std::vector<at::Tensor> rows;  // [B, 5] each
    for (std::int64_t step = 0; step < batches; ++step) {
        const RenderBatch batch = held_out.batch(step);
        const auto condition = portable::render_condition(batch.source, batch.exemplar, batch.second, batch.target);
        at::Generator random = generator_of(1, step);
        const at::Tensor noise = at::randn(condition.proposal.sizes(), random);
        const at::Tensor made = apply_correction(sample_correction(net, condition, noise, steps), condition);
        const at::Tensor mouth = geometry::mattes(batch.target, batch.source.landmarks, points).mouth;
        const at::Tensor truth = sharpness(batch.truth, mouth).clamp_min(1e-9);
        rows.push_back(at::stack({psnr(compositing::look_through(batch.source, points, {}), batch.truth, mouth),
                                  psnr(condition.proposal, batch.truth, mouth), psnr(made, batch.truth, mouth),
                                  sharpness(condition.proposal, mouth) / truth, sharpness(made, mouth) / truth},
                                 1));
    }
    const at::Tensor all = at::cat(rows);
    const at::Tensor mean = all.mean(0);
    const at::Tensor median = std::get<0>(all.median(0));
    const auto number = [](const at::Tensor& from, int column) { return from[column].item<double>(); };
    return {number(mean, 0), number(mean, 1), number(mean, 2), number(median, 3), number(median, 4), all.size(0)};
}

struct RenderTrainer::State {
    RenderTraining training;
    weights::Parameters parameters;
    RenderNet net;
    RenderSampler sampler;
    Optimiser optimiser;

    explicit State(const RenderTraining& given)
        : training(given),
          parameters(weights::Parameters::fresh(given.sampling.seed)),
          net(weights::Scope(parameters), given.model),
          sampler(load_to_learn(given.footage), given.sampling),
          optimiser(parameters, given.optimiser) {}
};

RenderTrainer::RenderTrainer(const RenderTraining& training) : state_(std::make_unique<State>(training)) {}
RenderTrainer::~RenderTrainer() = default;

std::int64_t RenderTrainer::steps_done() const {
    return state_->optimiser.steps_done();
}

double RenderTrainer::step() {
    State& s = *state_;
    const RenderBatch batch = s.sampler.batch(s.optimiser.steps_done());
    at::Generator random = generator_of(s.training.sampling.seed + 1, s.optimiser.steps_done());
    const std::int64_t size = batch.truth.size(0);
    const auto condition = portable::render_condition(batch.source, batch.exemplar, batch.second, batch.target);
    const at::Tensor mouth = geometry::mattes(batch.target, batch.source.landmarks, geometry::window_points()).mouth;
    const at::Tensor level = at::sigmoid(at::randn({size}, random) + 0.7);  // logit-normal, towards noise
    const at::Tensor known = (at::rand({size}, random) >= kDropGeometry).to(at::kFloat);
    const at::Tensor t = level.view({-1, 1, 1, 1});
    const at::Tensor noisy = batch.truth * (1 - t) + at::randn(batch.truth.sizes(), random) * t;
    std::optional<MixedPrecision> precision(std::in_place, s.training.mixed_precision);
    const at::Tensor correction = s.net.denoise(noisy, level, condition, known);
    precision.reset();
    const at::Tensor clean = apply_correction(correction, condition);
    const at::Tensor weight = (1 + (kMouthWeight - 1) * mouth).unsqueeze(1) / t.clamp_min(kSharpestLevel).square();
    const at::Tensor loss = ((clean - batch.truth).square() * weight).mean();
    loss.backward();
    s.optimiser.step();
    return loss.item<double>();
}

RenderScore RenderTrainer::score(const RenderSampler& held_out, const portable::RenderSteps& steps, std::int64_t batches) const {
    weights::Parameters averaged(state_->optimiser.averaged(), "the run's average");
    return score_render(RenderNet(weights::Scope(averaged), state_->training.model), held_out, steps, batches);
}

void RenderTrainer::save_checkpoint(const std::string& path, const Settings& settings) const {
    save_state(state_->optimiser, "omnisync-render-checkpoint-1", settings, path);
}

void RenderTrainer::load_checkpoint(const std::string& path, const Settings& settings) {
    load_state(state_->optimiser, "omnisync-render-checkpoint-1", settings, path);
}

void RenderTrainer::save_model(const std::string& path, bool overwrite) const {
    weights::save_safetensors({state_->optimiser.averaged(), {{"format", "omnisync-render-1"}}}, path, overwrite);
}

}  // namespace omnisync::training
