// What X-Dub's transformer and its sampling do whatever the weights.
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "diffusion/flow.h"
#include "engines/xdub/sampling.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

TransformerConfig tiny() {
    TransformerConfig config;
    config.width = 24;
    config.heads = 2;
    config.blocks = 3;
    config.ffn = 40;
    config.channels = 4;
    config.text_width = 8;
    config.time_waves = 16;
    config.audio = {10, 16, 2, 1, 100};
    return config;
}

Guidance constant(double source, double speech) {
    Guidance guidance;
    guidance.source = source;
    guidance.speech = speech;
    guidance.dynamic = false;
    return guidance;
}

/// A tiny clip of 3 x 4 x 6 latents and a network of random weights.
struct Clip {
    weights::Parameters parameters = weights::Parameters::fresh(3);
    LipSyncTransformer model;
    ClipLatents latents;
    Conditioning given;

    explicit Clip(const TransformerConfig& config = tiny()) : model(weights::Scope(parameters), config) {
        latents.source = reference_noise(1, {4, 3, 4, 6});
        latents.noise = reference_noise(2, {4, 3, 4, 6});
        given = model.prepare(TextContext::empty_prompt(reference_noise(5, {16}).narrow(0, 0, 8)), latents.source,
                              reference_noise(4, {3, 8, 10}));
    }
    [[nodiscard]] at::Tensor sample(const Sampling& sampling, const Watch& watch = {}) {
        return sample_clip(model, given, latents, sampling, watch);
    }
};

TEST(LipSyncTransformer, TheReleasedLayout) {
    const weights::Parameters all = LipSyncTransformer::outline({});
    EXPECT_EQ(all.tensors().size(), 1245U);
    EXPECT_EQ(all.elements(), 6'292'551'360);
    EXPECT_EQ(all.tensors().at("blocks.29.audio_attn.norm_k.weight").sizes(), at::IntArrayRef({3072}));
    EXPECT_EQ(all.tensors().at("audio_embedding.layers.3.ff.net.0.proj.weight").sizes(),
              at::IntArrayRef({12288, 1536}));
}

TEST(LipSyncTransformer, AudioInSomeBlocks) {
    TransformerConfig config = tiny();
    for (const AudioLayers layers : {AudioLayers::even, AudioLayers::chosen}) {
        config.audio_layers = layers;
        Clip clip(config);
        const auto outline = LipSyncTransformer::outline(config);
        EXPECT_EQ(outline.has("blocks.0.norm4.weight"), layers == AudioLayers::even);
        EXPECT_EQ(outline.has("blocks.1.norm4.weight"), layers == AudioLayers::chosen);
        Pass silent{true, false};
        Pass heard{true, true};
        const auto both = clip.model.velocities(clip.latents.noise, 500, 0, clip.given, {silent, heard});
        EXPECT_FALSE(at::equal(both[0], both[1]));
        EXPECT_TRUE(at::equal(both[1], clip.model.velocities(clip.latents.noise, 500, 0, clip.given, {heard})[0]));
    }
}

TEST(LipSyncTransformer, EqualTextRowsCanBeCounted) {
    Clip clip;
    const at::Tensor row = reference_noise(8, {16}).narrow(0, 0, 8);
    const at::Tensor speech = at::zeros({3, 8, 10});
    TextContext counted = TextContext::empty_prompt(row);
    counted.repeats = 4;
    const at::Tensor all = at::zeros({5, 8});
    all[0].copy_(row);
    const Pass pass;
    const auto velocity = [&](const TextContext& text) {
        return clip.model.velocities(clip.latents.noise, 300, 1, clip.model.prepare(text, clip.latents.source, speech),
                                     pass);
    };
    EXPECT_LT((velocity(counted) - velocity({all})).abs().max().item<float>(), 1e-5);
}

TEST(LipSyncTransformer, ALackingBlockIsNamed) {
    Clip clip;
    (void)clip.model.velocities(clip.latents.noise, 300, 0, clip.given, Pass{});
    auto tensors = clip.parameters.tensors();
    tensors.erase("blocks.2.ffn.0.weight");
    weights::Parameters parameters(tensors, "file.safetensors");
    LipSyncTransformer model(weights::Scope(parameters), tiny());
    try {
        (void)model.velocities(clip.latents.noise, 300, 0, clip.given, Pass{});
        FAIL() << "a block is missing";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::bad_data);
        EXPECT_NE(std::string(error.what()).find("blocks.2.ffn.0.weight"), std::string::npos);
    }
}

TEST(SampleClip, KeepsTheSourcesRimAndTheGivenFrames) {
    Clip clip;
    clip.latents.motion = at::full({4, 1, 4, 6}, 3.0);
    Sampling sampling;
    sampling.steps = 2;
    const at::Tensor made = clip.sample(sampling);
    EXPECT_TRUE(at::equal(made.narrow(1, 0, 1), clip.latents.motion));
    EXPECT_TRUE(at::equal(made.select(2, 0).narrow(1, 1, 2), clip.latents.source.select(2, 0).narrow(1, 1, 2)));
    EXPECT_FALSE(at::equal(made.narrow(1, 1, 2), clip.latents.source.narrow(1, 1, 2)));
    sampling.border = 2;  // half of the rows: nothing is left
    EXPECT_TRUE(at::equal(clip.sample(sampling).narrow(1, 1, 2), clip.latents.source.narrow(1, 1, 2)));
}

TEST(SampleClip, BeginsAtTheSourceWhenTold) {
    Clip clip;
    Sampling sampling;
    sampling.steps = 3;
    sampling.border = 0;
    sampling.tau = 0.6;
    at::Tensor first;
    Watch watch;
    watch.seen = [&](const StepSeen& step) {
        if (step.index == 0) first = step.before;
    };
    (void)clip.sample(sampling, watch);
    EXPECT_TRUE(at::equal(first, diffusion::at_level(clip.latents.source, clip.latents.noise, 0.6)));
}

TEST(SampleClip, EvaluatesOnlyWhatTheScalesAskFor) {
    Clip clip;
    std::vector<std::int64_t> passes;
    Watch watch;
    watch.seen = [&](const StepSeen& step) { passes.push_back(step.velocities.size(0)); };
    Sampling sampling;
    sampling.steps = 4;
    sampling.guidance.interval = {0.9, 1};  // levels are 1, 0.94, 0.83, 0.63
    (void)clip.sample(sampling, watch);
    EXPECT_EQ(passes, (std::vector<std::int64_t>{3, 3, 1, 1}));
    passes.clear();
    sampling.guidance = constant(1, 4);
    (void)clip.sample(sampling, watch);
    EXPECT_EQ(passes, (std::vector<std::int64_t>{2, 2, 2, 2}));
    passes.clear();
    sampling.guidance = constant(1, 0);
    (void)clip.sample(sampling, watch);
    EXPECT_EQ(passes, (std::vector<std::int64_t>{1, 1, 1, 1}));
}

TEST(SampleClip, AFieldOfOnesIsNoField) {
    Clip clip;
    Sampling sampling;
    sampling.steps = 2;
    const at::Tensor plain = clip.sample(sampling);
    sampling.guidance.field = at::full({3, 4, 6}, 1.0);
    EXPECT_LT((clip.sample(sampling) - plain).abs().max().item<float>(), 1e-4);
    sampling.guidance.field = at::zeros({3, 4, 6});
    const at::Tensor unheard = clip.sample(sampling);
    sampling.guidance.field = at::Tensor();
    sampling.guidance.speech = 0;
    EXPECT_LT((clip.sample(sampling) - unheard).abs().max().item<float>(), 1e-4);
}

TEST(SampleClip, StopsBetweenBlocks) {
    Clip clip;
    Sampling sampling;
    sampling.steps = 2;
    std::vector<double> done;
    Watch watch;
    watch.go_on = [&](double part) {
        done.push_back(part);
        return done.size() < 4;
    };
    try {
        (void)clip.sample(sampling, watch);
        FAIL() << "it was told to stop";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ExitCode::interrupted);
    }
    ASSERT_EQ(done.size(), 4U);
    EXPECT_DOUBLE_EQ(done[3], 4.0 / 6);
}

TEST(SampleClip, TheSecondOrderBeginsAsEulerDoes) {
    Clip clip;
    const auto sampled = [&](diffusion::Solver solver, int steps) {
        Sampling sampling;
        sampling.solver = solver;
        sampling.steps = steps;
        sampling.border = 0;
        return clip.sample(sampling);
    };
    EXPECT_TRUE(at::equal(sampled(diffusion::Solver::multistep, 1), sampled(diffusion::Solver::euler, 1)));
    EXPECT_FALSE(at::equal(sampled(diffusion::Solver::multistep, 2), sampled(diffusion::Solver::euler, 2)));
}

}  // namespace
}  // namespace omnisync::xdub
