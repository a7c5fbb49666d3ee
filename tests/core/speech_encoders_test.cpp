#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "engines/xdub/audio_windows.h"
#include "omnisync/error.h"
#include "speech/slaney_log_mel.h"
#include "speech/wav2vec2.h"
#include "speech/whisper_encoder.h"
#include "text/umt5_encoder.h"

namespace omnisync {
namespace {

/// Seconds of a tone that rises and swells.
at::Tensor tone(double seconds) {
    const at::Tensor t =
        at::arange(static_cast<std::int64_t>(seconds * speech::kRateHz), at::kDouble) / speech::kRateHz;
    return (at::sin(t * t * 900 + t * 700) * (at::sin(t * 9) * 0.2 + 0.25)).to(at::kFloat);
}

TEST(SlaneyLogMel, IsTheSameForAnyBlocks) {
    const at::Tensor samples = tone(23.4567);
    const at::Tensor whole = speech::slaney_log_mel(samples);
    ASSERT_EQ(whole.size(1), samples.size(0) / 160);
    for (const std::int64_t block : {37, 160, 4096, 160'240, 200'000}) {
        speech::SlaneyMelReader reader;
        for (std::int64_t i = 0; i < samples.size(0); i += block)
            reader.add(samples.narrow(0, i, std::min(block, samples.size(0) - i)));
        EXPECT_TRUE(at::equal(reader.finish(), whole)) << block;
    }
}

// Lengths about those at which a block of frames is full: the mirrored end then lies in the next.
TEST(SlaneyLogMel, EveryLengthHasItsFrames) {
    const at::Tensor samples = tone(20.1);
    for (const std::int64_t block_end : {160'000, 160'200, 160'240, 160'040, 320'000, 320'040, 320'200})
        for (std::int64_t n = block_end - 2; n <= block_end + 2; ++n) {
            const at::Tensor mel = speech::slaney_log_mel(samples.narrow(0, 0, n));
            ASSERT_EQ(mel.size(1), n / 160) << n;
            // All but the last frames see nothing of the end; the floor is far below.
            const at::Tensor longer = speech::slaney_log_mel(samples.narrow(0, 0, n + 800));
            const std::int64_t inner = mel.size(1) - 2;
            EXPECT_LT(at::abs(mel - longer.narrow(1, 0, mel.size(1))).narrow(1, 0, inner).max().item<double>(), 1e-5)
                << n;
        }
}

TEST(SlaneyLogMel, ShortSoundsAndSilenceAreNoFault) {
    for (const std::int64_t n : {0, 1, 160, 399}) {
        const at::Tensor mel = speech::slaney_log_mel(tone(1).narrow(0, 0, n));
        EXPECT_EQ(mel.size(1), 2) << n;
        EXPECT_TRUE(at::isfinite(mel).all().item<bool>()) << n;
    }
    EXPECT_EQ(speech::slaney_log_mel(at::zeros({16'000})).min().item<float>(), -1.5F);
}

constexpr std::int64_t kWidth = 32;

speech::Wav2Vec2Config small_wav2vec2() {
    return {.conv_width = 16, .width = kWidth, .heads = 2, .layers = 2, .mlp = 48, .place_groups = 4};
}

TEST(Wav2Vec2, ShortSoundsAndSilenceAreNoFault) {
    weights::Parameters parameters = weights::Parameters::fresh(3);
    const speech::Wav2Vec2 model(weights::Scope(parameters), small_wav2vec2());
    for (const at::Tensor& samples : {tone(1).narrow(0, 0, 0), tone(1).narrow(0, 0, 399), at::zeros({8000})}) {
        const at::Tensor features = model(speech::StandardSound(samples));
        EXPECT_EQ(features.size(0), speech::wav2vec2_rows(samples.size(0)));
        EXPECT_TRUE(at::isfinite(features).all().item<bool>());
    }
}

// The norm of the first convolution is over the whole sound, also where the sound is taken in blocks.
TEST(Wav2Vec2, TheFirstNormIsTheWholeSounds) {
    weights::Parameters parameters = weights::Parameters::fresh(4);
    const speech::Wav2Vec2 model(weights::Scope(parameters), small_wav2vec2());
    const speech::StandardSound sound(tone(70) + 0.1);
    const speech::BareConv first = model.first_for(sound);
    const at::Tensor heard = first(sound.part(0, sound.samples.size(0)).view({1, 1, -1}))[0].to(at::kDouble);
    EXPECT_LT(at::abs(heard.mean(1)).max().item<double>(), 1e-4);
    EXPECT_LT(at::abs(heard.var(1, false) - 1).max().item<double>(), 1e-3);
    EXPECT_NEAR(sound.part(0, sound.samples.size(0)).to(at::kDouble).mean().item<double>(), 0, 1e-6);
}

// What is computed block by block, window by window is what one piece gives, where attention is not concerned.
TEST(Wav2Vec2, BlocksOfFramesAreSeamless) {
    weights::Parameters parameters = weights::Parameters::fresh(5);
    const speech::Wav2Vec2 model(weights::Scope(parameters), small_wav2vec2());
    const speech::StandardSound sound(tone(24));
    const speech::BareConv first = model.first_for(sound);
    const at::Tensor all = model.project(model.convolve(sound, first, 0, 1199));
    const at::Tensor part = model.project(model.convolve(sound, first, 300, 900));
    EXPECT_LT(at::abs(part - all.narrow(0, 300, 600)).max().item<double>(), 1e-5);
    const at::Tensor placed = model.place(all, 0, 1199);
    const at::Tensor placed_part = model.place(part, 200, 200);
    EXPECT_LT(at::abs(placed_part - placed.narrow(0, 500, 200)).max().item<double>(), 1e-5);
}

// Without what attention adds, nothing is left that could differ between windows and one pass.
TEST(Wav2Vec2, WindowsJoinWithoutASeam) {
    weights::Parameters parameters = weights::Parameters::fresh(8);
    const speech::Wav2Vec2 model(weights::Scope(parameters), small_wav2vec2());
    for (const auto& [name, tensor] : parameters.tensors())
        if (name.ends_with("attention.out_proj.weight")) tensor.zero_();
    const speech::StandardSound sound(tone(50));
    const at::Tensor whole = model(sound, speech::unlimited_reach());
    for (const auto& [longest, context] : {std::pair(2498, 10), std::pair(900, 300), std::pair(300, 0)}) {
        const at::Tensor apart = model(sound, {.longest = longest, .context = context});
        EXPECT_LT(at::abs(apart - whole).max().item<double>(), 1e-4) << longest;
    }
}

TEST(Wav2Vec2, WindowsOfContextAloneAreRefused) {
    weights::Parameters parameters = weights::Parameters::fresh(6);
    const speech::Wav2Vec2 model(weights::Scope(parameters), small_wav2vec2());
    EXPECT_THROW((void)model(speech::StandardSound(tone(3)), {.longest = 100, .context = 50}), Error);
}

// The types of weights other than float32: a GPU's.
TEST(SpeechAndText, ComputeInTheTypeOfTheWeights) {
    const auto in_both = [](const auto& compute) {
        weights::Parameters fine = weights::Parameters::fresh(9);
        const at::Tensor truth = compute(weights::Scope(fine));
        weights::Parameters coarse(fine.tensors(), "the same in bfloat16", at::kBFloat16);
        const at::Tensor result = compute(weights::Scope(coarse));
        EXPECT_EQ(result.scalar_type(), at::kBFloat16);
        const double off = at::abs(result.to(at::kFloat) - truth).mean().template item<double>();
        EXPECT_LT(off, 0.03 * at::abs(truth).mean().template item<double>());
        EXPECT_GT(off, 0);
    };
    in_both([](const weights::Scope& scope) {
        const speech::WhisperConfig config{.positions = 100, .width = 32, .heads = 2, .layers = 2, .mlp = 64};
        return speech::WhisperEncoder(scope, config)(speech::slaney_log_mel(tone(2.7)));
    });
    in_both([](const weights::Scope& scope) {
        return speech::Wav2Vec2(scope, small_wav2vec2())(speech::StandardSound(tone(2.7)));
    });
    const text::Umt5Config config{
        .vocabulary = 9, .width = 32, .attention_width = 16, .heads = 2, .mlp = 40, .layers = 2};
    in_both([&](const weights::Scope& scope) {
        return text::encode_prompt(scope, config, at::arange(9, at::kLong), 7).narrow(0, 0, 7);
    });
    in_both([&](const weights::Scope& scope) {
        text::note_umt5(scope, config);
        return text::empty_prompt_row(scope, config);
    });
}

TEST(ReleasedSizes, OfWhisper) {
    weights::Parameters outline = weights::Parameters::outline();
    const speech::WhisperEncoder model{weights::Scope(outline)};
    EXPECT_EQ(outline.elements(), 636'784'640);
    EXPECT_EQ(outline.tensors().size(), 5U + 32U * 15U + 2U);
    for (const char* name : {"model.encoder.layers.31.self_attn.k_proj.weight", "model.encoder.layer_norm.bias"})
        EXPECT_TRUE(outline.has(name)) << name;
    EXPECT_FALSE(outline.has("model.encoder.layers.0.self_attn.k_proj.bias"));
}

TEST(ReleasedSizes, OfWav2Vec2) {
    weights::Parameters outline = weights::Parameters::outline();
    const speech::Wav2Vec2 model{weights::Scope(outline)};
    // 7 convolutions, norms of the first, of the projection and of the encoder, projection, positions, 12 layers.
    EXPECT_EQ(outline.tensors().size(), 7U + 3U * 2U + 2U + 3U + 12U * 16U);
    const auto shape = [&](const std::string& name) { return outline.tensors().at("wav2vec2." + name).sizes().vec(); };
    using Shape = std::vector<std::int64_t>;
    EXPECT_EQ(shape("feature_extractor.conv_layers.0.conv.weight"), (Shape{512, 1, 10}));
    EXPECT_EQ(shape("feature_extractor.conv_layers.0.layer_norm.bias"), (Shape{512}));
    EXPECT_EQ(shape("feature_extractor.conv_layers.4.conv.weight"), (Shape{512, 512, 3}));
    EXPECT_EQ(shape("feature_extractor.conv_layers.6.conv.weight"), (Shape{512, 512, 2}));
    EXPECT_EQ(shape("feature_projection.projection.weight"), (Shape{768, 512}));
    EXPECT_EQ(shape("encoder.pos_conv_embed.conv.weight_g"), (Shape{1, 1, 128}));
    EXPECT_EQ(shape("encoder.pos_conv_embed.conv.weight_v"), (Shape{768, 48, 128}));
    EXPECT_EQ(shape("encoder.layers.11.feed_forward.output_dense.weight"), (Shape{768, 3072}));
    EXPECT_EQ(shape("encoder.layers.11.attention.out_proj.bias"), (Shape{768}));
}

TEST(ReleasedSizes, OfUmt5) {
    weights::Parameters outline = weights::Parameters::outline();
    text::note_umt5(weights::Scope(outline));
    EXPECT_EQ(outline.tensors().size(), 242U);
    EXPECT_EQ(outline.elements(), 5'680'910'336);
    weights::Parameters empty = weights::Parameters::outline();
    EXPECT_EQ(text::empty_prompt_row(weights::Scope(empty)).sizes(), at::IntArrayRef{4096});
    EXPECT_EQ(empty.tensors().size(), 242U - 3U * 24U);
    for (const auto& [name, tensor] : empty.tensors())
        EXPECT_EQ(tensor.sizes(), outline.tensors().at(name).sizes()) << name;
}

TEST(Umt5, WordsBeyondTheVocabularyAreRefused) {
    weights::Parameters parameters = weights::Parameters::fresh(7);
    const text::Umt5Config config{.vocabulary = 9, .width = 8, .attention_width = 8, .heads = 2, .mlp = 8, .layers = 1};
    const at::Tensor ids = at::arange(8, 10, at::kLong);
    EXPECT_THROW((void)text::encode_prompt(weights::Scope(parameters), config, ids, 2), Error);
}

TEST(WhisperNames, OfOtherThingsAreNotTheEncoders) {
    for (const char* name :
         {"decoder.blocks.0.attn.query.weight", "encoder.blocks.x.attn.query.weight", "encoder.blocks.3",
          "encoder.blocks.", "encoder.blocks.3.attn.", "dims", "", "encoder.something"})
        EXPECT_EQ(speech::whisper_from_openai(name), std::nullopt) << name;
    EXPECT_EQ(speech::whisper_from_openai("encoder.blocks.31.mlp_ln.bias"),
              "model.encoder.layers.31.final_layer_norm.bias");
}

xdub::FrameTimes times_at(double rate, int frames) {
    xdub::FrameTimes times{.seconds = {}, .interval_s = 1 / rate};
    for (int k = 0; k < frames; ++k) times.seconds.push_back(k / rate);
    return times;
}

TEST(AudioWindowTimes, EveryFrameHearsItsOwnMoment) {
    for (const double rate : {23.976, 24.0, 29.97, 30.0, 50.0, 60.0}) {
        const xdub::FrameTimes times = times_at(rate, 400);
        const xdub::ClipWindow clip{.start = 72};
        const at::Tensor indices = xdub::window_indices(times, clip, 100'000);
        for (std::int64_t latent = 0; latent < 20; ++latent)
            for (std::int64_t frame = 0; frame < 4; ++frame) {
                const double begin_s = static_cast<double>(72 + 4 * latent - 3 + frame) / rate;
                const auto heard = [&](std::int64_t half) {
                    return indices[latent][2 * frame + half].item<std::int64_t>() / xdub::kFeatureRateHz;
                };
                EXPECT_NEAR(heard(0), begin_s, 0.0100001) << rate;
                EXPECT_NEAR(heard(1), begin_s + 0.5 / rate, 0.0100001) << rate;
            }
    }
}

// A frame shown twice as long as the others, and clips that begin before the list and end beyond it.
TEST(AudioWindowTimes, MayVary) {
    xdub::FrameTimes times;
    times.seconds = {1.0, 1.04, 1.08, 1.16, 1.20};
    EXPECT_DOUBLE_EQ(times[-2], 0.92);
    EXPECT_DOUBLE_EQ(times[6], 1.28);
    const at::Tensor indices = xdub::window_indices(times, {.start = 3, .latents = 1}, 61);
    const std::vector<std::int64_t> expected = {50, 51, 52, 53, 54, 56, 58, 59};
    for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(indices[0][static_cast<std::int64_t>(i)].item<std::int64_t>(), expected[i]) << i;
}

TEST(AudioWindowTimes, NoFeaturesAreRefused) {
    EXPECT_THROW((void)xdub::window_indices({}, {}, 0), Error);
}

}  // namespace
}  // namespace omnisync
