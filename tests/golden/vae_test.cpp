// The Wan2.2 VAE against the tiny one of the golden vectors (spec of X-Dub, section 2).
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "autoencoder/tiled_decode.h"
#include "autoencoder/wan_vae.h"
#include "golden/vectors.h"

namespace omnisync::autoencoder {
namespace {

using test::near;
using weights::Parameters;
using weights::Scope;

class Vae : public ::testing::Test {
protected:
    void SetUp() override { OMNISYNC_NEED_VECTORS(vectors_); }

    [[nodiscard]] at::Tensor golden(const std::string& name) const { return vectors_(name); }
    /// The sizes of the vectors' own configuration.
    [[nodiscard]] WanVaeConfig config() const {
        const auto sizes = nlohmann::json::parse(vectors_.metadata("config"));
        return {.encoder_base = sizes.at("encoder_base"), .decoder_base = sizes.at("decoder_base"), .clamp = false};
    }
    [[nodiscard]] std::unique_ptr<WanVae> vae(const WanVaeConfig& config, at::ScalarType type = at::kFloat) const {
        Parameters parameters(test::Vectors("vae_tiny_weights").file().tensors, "golden weights", type);
        return std::make_unique<WanVae>(Scope(parameters), config);
    }
    [[nodiscard]] std::unique_ptr<WanVae> vae() const { return vae(config()); }
    [[nodiscard]] std::unique_ptr<WanVae> vae_without_head_history() const {
        WanVaeConfig released = config();
        released.encoder_head_history = false;
        return vae(released);
    }
    [[nodiscard]] nlohmann::json chunkings(const char* of) const {
        return nlohmann::json::parse(vectors_.metadata("chunking")).at(of);
    }

    /// A layer's own weights, stored beside its vectors.
    [[nodiscard]] Parameters operators(const std::string& name) const {
        std::map<std::string, at::Tensor> own;
        const std::string prefix = "op." + name + ".";
        for (const auto& [key, tensor] : vectors_.file().tensors)
            if (key.starts_with(prefix)) own[key.substr(prefix.size())] = tensor;
        return {own, name};
    }
    [[nodiscard]] at::Tensor op(const std::string& name) const { return golden("op." + name).unsqueeze(0); }

    void expect_near(const at::Tensor& result, const std::string& name, double tolerance) {
        const at::Tensor wanted = golden(name);
        EXPECT_TRUE(near(result.squeeze(0), wanted, tolerance)) << name;
        RecordProperty(name, std::to_string(test::deviation(result.squeeze(0), wanted) * 1e6) + "e-6");
    }

    const c10::InferenceMode inference_;
    const test::Vectors vectors_{"vae_tiny"};
};

/// `x` along time, cut into pieces of `lengths` frames, each through `stream`.
template <class Stream>
at::Tensor in_pieces(Stream stream, const at::Tensor& x, const std::vector<std::int64_t>& lengths) {
    std::vector<at::Tensor> results;
    for (const at::Tensor& piece : x.split_with_sizes(lengths, 1)) results.push_back(stream.push(piece));
    return at::cat(results, 1);
}

/// Latents of five times the width.
at::Tensor widened(const at::Tensor& latents) {
    std::vector<at::Tensor> row;
    for (std::int64_t i = 0; i < 5; ++i) row.push_back(latents.roll({i}, {0}));
    return at::cat(row, 3);
}

constexpr double kLatent = 2e-5;
constexpr double kStage = 6e-5;
constexpr double kOperator = 3e-6;

TEST_F(Vae, UsesEveryTensorOfTheFile) {
    Parameters parameters = test::Vectors("vae_tiny_weights").parameters();
    EXPECT_EQ(parameters.tensors().size(), 196U);
    const WanVae made{Scope(parameters), config()};
    EXPECT_TRUE(parameters.surplus().empty()) << parameters.surplus().front();
}

TEST_F(Vae, KnowsTheStatistics) {
    const LatentStatistics statistics = latent_statistics(at::kFloat);
    EXPECT_TRUE(at::equal(statistics.mean, golden("latent_mean")));
    EXPECT_TRUE(at::equal(statistics.inverse_deviation, golden("latent_inv_std")));
}

TEST_F(Vae, EncodesWithTheHeadsHistory) {
    expect_near(vae()->encode(golden("in.video")), "t17.latent_history", kLatent);
    expect_near(vae()->encode(golden("t13.video")), "t13.latent_history", kLatent);
}

TEST_F(Vae, EncodesAsReleasedWithoutTheHeadsHistory) {
    expect_near(vae_without_head_history()->encode(golden("in.video")), "t17.latent_released", kLatent);
    expect_near(vae_without_head_history()->encode(golden("t13.video")), "t13.latent_released", kLatent);
}

TEST_F(Vae, Decodes) {
    expect_near(vae()->decode(golden("dec.latent")), "t17.decoded", kLatent);
    expect_near(vae()->decode(golden("t13.dec_latent")), "t13.decoded", kLatent);
}

TEST_F(Vae, EndsAtWhiteAndBlack) {
    WanVaeConfig clamped = config();
    clamped.clamp = true;
    EXPECT_TRUE(
        at::equal(vae(clamped)->decode(golden("dec.latent")), vae()->decode(golden("dec.latent")).clamp(-1, 1)));
}

TEST_F(Vae, EncodesTheSameInAnyPieces) {
    for (const auto& coder : {vae(), vae_without_head_history()}) {
        const at::Tensor video = golden("in.video");
        const at::Tensor whole = coder->encode(video);
        std::vector<std::vector<std::int64_t>> cuts = chunkings("encoder");
        cuts.push_back({3, 1, 2, 6, 5});
        cuts.push_back(std::vector<std::int64_t>(17, 1));
        cuts.push_back({0, 17, 0});
        for (const auto& lengths : cuts)
            EXPECT_TRUE(at::equal(in_pieces(EncodeStream(*coder), video, lengths), whole)) << lengths.size();
    }
}

TEST_F(Vae, DecodesTheSameInAnyPieces) {
    const auto coder = vae();
    const at::Tensor latents = golden("dec.latent");
    const at::Tensor whole = coder->decode(latents);
    std::vector<std::vector<std::int64_t>> cuts = chunkings("decoder");
    cuts.push_back({0, 3, 0, 2});
    for (const auto& lengths : cuts)
        EXPECT_TRUE(at::equal(in_pieces(DecodeStream(*coder), latents, lengths), whole)) << lengths.size();
}

TEST_F(Vae, TheBeginningOfAVideoNeedsNothingOfWhatFollows) {
    const auto coder = vae();
    const at::Tensor video = golden("in.video");
    const at::Tensor whole = coder->encode(video);
    for (const std::int64_t frames : {0, 1, 3, 5, 9, 13, 14, 15, 16}) {
        const std::int64_t latents = latents_of_frames(frames);
        EXPECT_TRUE(at::equal(coder->encode(video.slice(1, 0, frames)), whole.slice(1, 0, latents))) << frames;
    }
    const at::Tensor decoded = coder->decode(golden("dec.latent"));
    for (const std::int64_t latents : {0, 1, 2, 3, 4}) {
        const at::Tensor beginning = coder->decode(golden("dec.latent").slice(1, 0, latents));
        EXPECT_TRUE(at::equal(beginning, decoded.slice(1, 0, frames_of_latents(latents)))) << latents;
    }
}

TEST_F(Vae, StreamsAreStrangersToOneAnother) {
    const auto coder = vae();
    const at::Tensor video = golden("in.video");
    EncodeStream one(*coder);
    EncodeStream other(*coder);
    std::vector<at::Tensor> results;
    for (const at::Tensor& piece : video.split_with_sizes({1, 8, 8}, 1)) {
        results.push_back(one.push(piece));
        (void)other.push(-piece);
    }
    EXPECT_TRUE(at::equal(at::cat(results, 1), coder->encode(video)));
}

TEST_F(Vae, TilesWithAFullMarginAreTheWhole) {
    const auto coder = vae();
    const at::Tensor wide = widened(golden("dec.latent").slice(1, 0, 2));
    for (const at::Tensor& latents : {wide, wide.transpose(2, 3)}) {
        const at::Tensor whole = coder->decode(latents);
        const auto off = [&](std::int64_t margin) {
            const Tiling tiling{.core = 5, .margin = margin, .blend = 1};
            return test::deviation(TiledDecodeStream(*coder, tiling).push(latents), whole);
        };
        EXPECT_LT(off(kExactMargin), kLatent);
        EXPECT_LT(off(4), 0.02);
        EXPECT_GT(off(0), 0.02);
    }
}

TEST_F(Vae, TilesAreTheSameInAnyPieces) {
    const auto coder = vae();
    const at::Tensor latents = golden("dec.latent");
    const Tiling tiling{.core = 2, .margin = 1, .blend = 0};
    const at::Tensor whole = TiledDecodeStream(*coder, tiling).push(latents);
    EXPECT_FALSE(at::equal(whole, coder->decode(latents)));
    for (const std::vector<std::int64_t> lengths : chunkings("decoder"))
        EXPECT_TRUE(at::equal(in_pieces(TiledDecodeStream(*coder, tiling), latents, lengths), whole)) << lengths.size();
    EXPECT_TRUE(at::equal(TiledDecodeStream(*coder, Tiling{}).push(latents), coder->decode(latents)));
}

TEST_F(Vae, TheReducedPrecisionIsNear) {
    const auto coder = vae(config(), at::kBFloat16);
    const at::Tensor latents = coder->encode(golden("in.video"));
    ASSERT_EQ(latents.scalar_type(), at::kBFloat16);
    const at::Tensor off = (latents.to(at::kFloat) - golden("t17.latent_history")).abs();
    EXPECT_LT(off.max().item<double>(), 0.14);  // twice what the vectors' README measured
    EXPECT_LT(off.mean().item<double>(), 0.014);
    const at::Tensor seen = (coder->decode(golden("dec.latent")).to(at::kFloat) - golden("t17.decoded")).abs();
    EXPECT_LT(seen.max().item<double>(), 0.054);
    EXPECT_LT(seen.mean().item<double>(), 0.0072);
}

TEST_F(Vae, EveryStageOfTheEncoder) {
    const auto coder = vae();
    const Encoder& encoder = coder->encoder;
    Encoder::State state;
    std::map<std::string, std::vector<at::Tensor>> seen;
    const auto note = [&](const std::string& name, const at::Tensor& x) {
        seen[name].push_back(x);
        return x;
    };
    for (const at::Tensor& unit : golden("in.video").unsqueeze(0).split_with_sizes({1, 4, 4, 4, 4}, 2)) {
        std::vector<at::Tensor> frames;
        for (const at::Tensor& frame : pixel_unshuffle(unit).split(1, 2)) {
            state.frames.rewind();
            const at::Tensor x = note("conv1", encoder.conv1(frame, state.frames));
            frames.push_back(note("stage0", encoder.stages[0](x, state.frames)));
        }
        at::Tensor x = at::cat(frames, 2);
        state.units.rewind();
        for (std::size_t i = 1; i < 4; ++i) x = note("stage" + std::to_string(i), encoder.stages[i](x, state.units));
        x = note("middle_res0", encoder.middle.before(x, state.units));
        x = note("middle_attn", encoder.middle.attention(x));
        x = note("middle", encoder.middle.after(x, state.units));
        note("head_history", encoder.head(x, state.units));
    }
    for (const auto& [name, pieces] : seen) {
        const std::string key = "t17.enc." + name;
        expect_near(at::cat(pieces, 2).slice(2, 0, golden(key).size(1)), key, kStage);
    }
    EXPECT_EQ(seen.size(), 9U);
}

TEST_F(Vae, EveryStageOfTheDecoder) {
    const auto coder = vae();
    const Decoder& decoder = coder->decoder;
    Memory begun;
    Decoder::State state;
    std::map<std::string, std::vector<at::Tensor>> seen;
    const auto note = [&](const std::string& name, const at::Tensor& x) {
        seen[name].push_back(x);
        return x;
    };
    for (const at::Tensor& unit : golden("dec.latent").unsqueeze(0).split(1, 2)) {
        begun.rewind();
        at::Tensor x = note("conv1", decoder.conv1(note("conv2", coder->restored(unit)), begun));
        x = note("middle_attn", decoder.middle.attention(decoder.middle.before(x, begun)));
        x = note("middle", decoder.middle.after(x, begun));
        state.units.rewind();
        x = note("stage0", decoder.stages[0](x, state.units, state.first));
        x = note("stage1", decoder.stages[1](x, state.units, state.first));
        for (at::Tensor frame : x.split(1, 2)) {
            state.frames.rewind();
            frame = note("stage2", decoder.stages[2](frame, state.frames, state.first));
            frame = note("stage3", decoder.stages[3](frame, state.frames, state.first));
            note("head12", decoder.head(frame, state.frames));
        }
        state.first = false;
    }
    for (const auto& [name, pieces] : seen) {
        const std::string key = "t17.dec." + name;
        expect_near(at::cat(pieces, 2).slice(2, 0, golden(key).size(1)), key, kStage);
    }
    EXPECT_EQ(seen.size(), 9U);
}

TEST_F(Vae, Rearrangements) {
    const Factors both{.time = 2, .space = 2};
    const Factors sides{.time = 1, .space = 2};
    EXPECT_TRUE(near(average_down(op("avgdown_t2s2.in"), 6, both), op("avgdown_t2s2.out"), 1e-6));
    EXPECT_TRUE(near(average_down(op("avgdown_t1s2.in"), 8, sides), op("avgdown_t1s2.out"), 1e-6));
    EXPECT_TRUE(at::equal(duplicate_up(op("dupup_t2s2_first.in"), 3, both, true), op("dupup_t2s2_first.out")));
    EXPECT_TRUE(at::equal(duplicate_up(op("dupup_t2s2_first.in"), 3, both, false), op("dupup_t2s2_later.out")));
    EXPECT_TRUE(at::equal(duplicate_up(op("dupup_t1s2.in"), 4, sides, false), op("dupup_t1s2.out")));
    EXPECT_TRUE(at::equal(pixel_unshuffle(op("unshuffle.in")), op("unshuffle.out")));
    EXPECT_TRUE(at::equal(pixel_shuffle(op("unshuffle.out")), op("unshuffle.in")));
}

TEST_F(Vae, Resamplers) {
    Parameters down2d = operators("down2d");
    EXPECT_TRUE(near(SpaceConv(Scope(down2d), 4).down(op("down2d.in")), op("down2d.out"), kOperator));
    Parameters up2d = operators("up2d");
    EXPECT_TRUE(near(SpaceConv(Scope(up2d), 4).up(op("up2d.in")), op("up2d.out"), kOperator));

    Parameters down3d = operators("down3d");
    const SpaceConv down(Scope(down3d), 5);
    const TimeDown time_down(Scope(down3d), 5);
    Memory memory;
    std::vector<at::Tensor> shorter;
    for (const at::Tensor& piece : op("down3d.in").split_with_sizes({1, 4, 4}, 2)) {
        memory.rewind();
        shorter.push_back(time_down(down.down(piece), memory));
    }
    EXPECT_TRUE(near(at::cat(shorter, 2), op("down3d.out"), kOperator));

    Parameters up3d = operators("up3d");
    const SpaceConv up(Scope(up3d), 4);
    const TimeUp time_up(Scope(up3d), 4);
    Memory other;
    std::vector<at::Tensor> longer;
    for (const at::Tensor& piece : op("up3d.in").split(1, 2)) {
        other.rewind();
        longer.push_back(up.up(time_up(piece, other)));
    }
    EXPECT_TRUE(near(at::cat(longer, 2), op("up3d.out"), kOperator));
}

}  // namespace
}  // namespace omnisync::autoencoder
