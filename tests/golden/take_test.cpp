// Two clips from crops to pictures that speak, end to end through the engine's own Take, against the public program.
#include "engines/xdub/take.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/xdub/sampling.h"
#include "golden/pictures.h"
#include "golden/vectors.h"
#include "golden/xdub_config.h"

namespace omnisync::xdub {
namespace {

using test::near;
using test::Vectors;
using weights::Parameters;
using weights::Scope;

constexpr ClipShape kShape{13, 5};
constexpr std::int64_t kWanted = 15;

class GoldenTake : public ::testing::TestWithParam<std::string> {
protected:
    void SetUp() override { OMNISYNC_NEED_VECTORS(vectors_); }

    /// The networks of the run.
    struct Models {
        Parameters transformer_weights;
        Parameters vae_weights;
        LipSyncTransformer transformer;
        autoencoder::WanVae vae;

        Models(const TransformerConfig& config, const autoencoder::WanVaeConfig& vae_config)
            : transformer_weights(Vectors("dit_tiny_weights").parameters()),
              vae_weights(Vectors("vae_tiny_weights").parameters()),
              transformer(Scope(transformer_weights), config),
              vae(Scope(vae_weights), vae_config) {}
    };
    [[nodiscard]] Models models(bool head_history) const {
        const auto sizes = nlohmann::json::parse(Vectors("vae_tiny").metadata("config"));
        const auto dit = nlohmann::json::parse(Vectors("dit_tiny").metadata("config"));
        return {test::transformer_config(dit),
                {.encoder_base = sizes.at("encoder_base"),
                 .decoder_base = sizes.at("decoder_base"),
                 .encoder_head_history = head_history}};
    }

    /// Runs the take; the latents of its clips are in `latents_` afterwards.
    std::vector<Rgb8> run(Models& models, bool compat) {
        const c10::InferenceMode inference;
        Sampling sampling;
        sampling.steps = 4;
        const auto sample = [&](std::int64_t clip, const at::Tensor& source, const at::Tensor& motion) {
            const at::Tensor heard = vectors_("audio_window.clip" + std::to_string(clip));
            const Conditioning given =
                models.transformer.prepare(TextContext::empty_prompt(vectors_("in.context_row0")), source, heard);
            latents_.push_back(
                sample_clip(models.transformer, given, {source, vectors_("in.noise"), motion}, sampling));
            return latents_.back();
        };
        TakeOptions options;
        options.compat = compat;
        Take take(models.vae, plan_clips(kWanted, kShape), options, sample,
                  [this](std::int64_t clip) { return recall(clip); });
        std::vector<Rgb8> made;
        for (std::int64_t seen = 0; made.size() < static_cast<std::size_t>(kWanted);) {
            for (; take.missing() > 0; ++seen) take.see(test::picture(vectors_("in.source_crops")[seen]));
            made.push_back(take.next());
        }
        return made;
    }
    [[nodiscard]] std::optional<at::Tensor> recall(std::int64_t clip) const {
        if (clip >= static_cast<std::int64_t>(remembered_.size())) return std::nullopt;
        return remembered_[static_cast<std::size_t>(clip)];
    }

    static at::Tensor tensor_of(const std::vector<Rgb8>& pictures) {
        std::vector<at::Tensor> all;
        for (const Rgb8& one : pictures) all.push_back(test::tensor_of(one).unsqueeze(0));
        return at::cat(all);
    }

    Vectors vectors_{"pipeline_tiny"};
    std::vector<at::Tensor> latents_;
    std::vector<at::Tensor> remembered_;
};

TEST_P(GoldenTake, HasTheReferencesLatentsAndPictures) {
    const std::string variant = GetParam();
    Models networks = models(variant == "history");
    const at::Tensor made = tensor_of(run(networks, true));
    EXPECT_TRUE(near(latents_.at(0), vectors_(variant + ".clip0.latents"), 1.5e-4));
    EXPECT_TRUE(near(latents_.at(1), vectors_(variant + ".clip1.latents"), 5e-3)) << "bytes of the motion frames flip";
    RecordProperty("clip0", std::to_string(test::deviation(latents_[0], vectors_(variant + ".clip0.latents"))));
    RecordProperty("clip1", std::to_string(test::deviation(latents_[1], vectors_(variant + ".clip1.latents"))));
    if (variant != "history") return;  // of the other, decoded pictures are stored before their colours are matched
    EXPECT_TRUE(test::alike(made, vectors_("history.final_corrected_u8").narrow(0, 0, kWanted), 0.01));
}

TEST_P(GoldenTake, WithClipsRememberedGivesTheSamePictures) {
    Models networks = models(GetParam() == "history");
    const std::vector<Rgb8> whole = run(networks, false);
    for (const std::size_t known : {1U, 2U}) {
        remembered_.assign(latents_.begin(), latents_.begin() + static_cast<std::ptrdiff_t>(known));
        const std::size_t sampled = latents_.size();
        EXPECT_EQ(run(networks, false), whole) << known << " clips remembered";
        EXPECT_EQ(latents_.size(), sampled + 2 - known);
        latents_.resize(2);
    }
}

TEST_P(GoldenTake, DecodingTheFilmOnceIsNearTheReference) {
    Models networks = models(GetParam() == "history");
    const at::Tensor once = tensor_of(run(networks, false)).to(at::kFloat);
    const at::Tensor twice = tensor_of(run(networks, true)).to(at::kFloat);
    // The first clip is the same film; bytes are rounded here and cut off there, twice, and the colours' gain is
    // between.
    EXPECT_LE((once - twice).narrow(0, 0, 9).abs().max().item<double>(), 8);
    EXPECT_LE((once - twice).narrow(0, 0, 9).abs().mean().item<double>(), 1.5);
    EXPECT_LE((once - twice).abs().mean().item<double>(), 4);
}

INSTANTIATE_TEST_SUITE_P(Encoders, GoldenTake, ::testing::Values("history", "released"));

}  // namespace
}  // namespace omnisync::xdub
