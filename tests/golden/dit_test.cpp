// X-Dub's transformer against the public reference's arithmetic (dit_tiny, rope).
#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diffusion/modulation.h"
#include "diffusion/rotary_3d.h"
#include "engines/xdub/lip_sync_transformer.h"
#include "golden/vectors.h"
#include "golden/xdub_config.h"

namespace omnisync::xdub {
namespace {

using test::near;
using test::Vectors;
using weights::Scope;

constexpr std::array<Pass, 3> kPasses{Pass{false, false}, Pass{true, false}, Pass{true, true}};

/// The tiny transformer, and what its cases are given.
struct Tiny {
    c10::InferenceMode inference;  // as dubs run: fused kernels. The sampler's tests go the plain way.
    Vectors vectors{"dit_tiny"};
    Vectors file{"dit_tiny_weights"};

    [[nodiscard]] bool present() const { return vectors.present() && file.present(); }
    [[nodiscard]] TransformerConfig config() const {
        return test::transformer_config(nlohmann::json::parse(vectors.metadata("config")));
    }
    [[nodiscard]] weights::Parameters parameters(at::ScalarType type = at::kFloat) const {
        return {file.file().tensors, "tiny", type};
    }
    [[nodiscard]] nlohmann::json cases() const { return nlohmann::json::parse(vectors.metadata("cases")); }
    [[nodiscard]] TextContext text(const nlohmann::json& one) const {
        if (one.at("context").get<std::string>().starts_with("in.context_general"))
            return {vectors("in.context_general")[0]};
        return TextContext::empty_prompt(vectors("in.context_row0"));
    }
    [[nodiscard]] at::Tensor velocities(LipSyncTransformer& model, const std::string& name,
                                        at::ArrayRef<Pass> passes = kPasses) const {
        const nlohmann::json one = cases()[name];
        const Conditioning given = model.prepare(text(one), vectors("in.source_latents")[0], vectors("in.audio")[0]);
        return model.velocities(vectors("in.latents")[0], one.at("timestep"), one.at("motion_latent_frames"), given,
                                passes);
    }
};

TEST(GoldenDit, EveryCaseHasTheReferencesVelocity) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    LipSyncTransformer model(Scope(parameters), tiny.config());
    for (const char* name : {"case0", "case1", "case2", "case3"}) {
        const at::Tensor truth = tiny.vectors(name + std::string(".output"));
        const at::Tensor made = tiny.velocities(model, name);
        EXPECT_TRUE(near(made, truth, 3e-5)) << name;
        RecordProperty(name, std::to_string(test::deviation(made, truth)));
    }
    EXPECT_TRUE(parameters.surplus().empty()) << parameters.surplus().front();
}

TEST(GoldenDit, ItemsDoNotDependOnTheirCompany) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    LipSyncTransformer one_by_one(Scope(parameters), tiny.config());
    const at::Tensor all = tiny.velocities(one_by_one, "case1");
    for (std::int64_t i = 0; i < 3; ++i)
        EXPECT_TRUE(at::equal(tiny.velocities(one_by_one, "case1", kPasses[static_cast<std::size_t>(i)])[0], all[i]));
    Residency together;
    together.passes_at_once = 3;
    LipSyncTransformer batched(Scope(parameters), tiny.config(), together);
    EXPECT_TRUE(near(tiny.velocities(batched, "case1"), all, 3e-5));
}

TEST(GoldenDit, AnyMemoryBudgetGivesTheSameBits) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    LipSyncTransformer whole(Scope(parameters), tiny.config());
    Residency nothing_stays;
    nothing_stays.block_bytes = 0;
    LipSyncTransformer streamed(Scope(parameters), tiny.config(), nothing_stays);
    EXPECT_EQ(whole.resident_blocks(), 2);
    EXPECT_EQ(streamed.resident_blocks(), 0);
    EXPECT_TRUE(at::equal(tiny.velocities(whole, "case3"), tiny.velocities(streamed, "case3")));
}

TEST(GoldenDit, Bfloat16StaysAsNearAsTheReferences) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters(at::kBFloat16);
    LipSyncTransformer model(Scope(parameters), tiny.config());
    for (const char* name : {"case0", "case1", "case2", "case3"}) {
        const at::Tensor off =
            at::abs(tiny.velocities(model, name).to(at::kFloat) - tiny.vectors(name + std::string(".output")));
        EXPECT_LE(off.max().item<double>(), 0.08) << name;
        EXPECT_LE(off.mean().item<double>(), 0.01) << name;
        RecordProperty(name + std::string("_max"), std::to_string(off.max().item<double>()));
    }
}

TEST(GoldenDit, TimeAndTokens) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    const LipSyncTransformer model(Scope(parameters), tiny.config());
    const nlohmann::json cases = tiny.cases();
    for (const auto& [name, one] : cases.items()) {
        const double time = one.at("timestep");
        const LipSyncTransformer::Time made = model.time_of(time);
        EXPECT_TRUE(near(diffusion::time_waves({0.0, time}, 32), tiny.vectors(name + ".time_sinusoid"), 3e-5));
        EXPECT_TRUE(near(made.embedding, tiny.vectors(name + ".time_embed"), 3e-5)) << name;
        EXPECT_TRUE(near(made.rows, tiny.vectors(name + ".time_mod"), 3e-5)) << name;
    }
    const at::Tensor tokens = tiny.vectors("case0.tokens");
    EXPECT_TRUE(near(model.tokens_of(tiny.vectors("in.source_latents")[0]), tokens[1].narrow(0, 0, 36), 3e-5));
    EXPECT_TRUE(near(model.tokens_of(tiny.vectors("in.latents")[0]), tokens[1].narrow(0, 36, 36), 3e-5));
    EXPECT_TRUE(near(model.tokens_of(at::zeros({48, 3, 6, 8})), tokens[0].narrow(0, 0, 36), 3e-5));
}

TEST(GoldenDit, AudioProjector) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    const AudioProjector projector(Scope(parameters) / "audio_embedding", tiny.config().audio, 96);
    const at::Tensor features = tiny.vectors("in.audio")[0];
    EXPECT_TRUE(near(projector(at::zeros_like(features)), tiny.vectors("case0.audio_embed")[0], 3e-5));
    EXPECT_TRUE(near(projector(features), tiny.vectors("case0.audio_embed")[1], 3e-5));
}

/// The blocks one after another, each from the golden output of the one before.
TEST(GoldenDit, BlocksOneByOne) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    const TransformerConfig config = tiny.config();
    LipSyncTransformer model(Scope(parameters), config);
    const nlohmann::json cases = tiny.cases();
    for (const auto& [name, one] : cases.items()) {
        const Conditioning given =
            model.prepare(tiny.text(one), tiny.vectors("in.source_latents")[0], tiny.vectors("in.audio")[0]);
        const Layout layout{given.grid, 36, 36 + one.at("motion_latent_frames").get<std::int64_t>() * 12};
        EXPECT_EQ((tiny.vectors(name + ".token_uses_tau") == 0).sum().item<std::int64_t>(), layout.at_rest);
        const StepInput step{layout, model.time_of(one.at("timestep")).rows, given.rotor, given.log_counts};
        for (std::int64_t item = 0; item < 3; ++item) {
            at::Tensor x = at::cat({item == 0 ? model.tokens_of(at::zeros({48, 3, 6, 8})) : given.source,
                                    model.tokens_of(tiny.vectors("in.latents")[0])})
                               .unsqueeze(0);
            for (std::int64_t i = 0; i < 2; ++i) {
                const auto b = static_cast<std::size_t>(i);
                const TransformerBlock block(Scope(parameters) / "blocks" / i, config, i);
                block.look(x, step, given.text[b], Update::all);
                block.listen(x, layout, step.rows, item == 2 ? given.speech[b] : given.silence[b].expand(3));
                const at::Tensor truth = tiny.vectors(name + ".block" + std::to_string(i) + ".out")[item];
                EXPECT_TRUE(near(x[0], truth, 6e-5)) << name << " item " << item << " block " << i;
                x = truth.clone().unsqueeze(0);
            }
            const at::Tensor out = model.head(x.narrow(1, 36, 36), model.time_of(one.at("timestep")).embedding,
                                              layout.targets_only().at_rest);
            EXPECT_TRUE(near(out[0], tiny.vectors(name + ".head_out")[item], 3e-5)) << name;
        }
    }
}

TEST(GoldenDit, AttentionOfTheFirstBlock) {
    const Tiny tiny;
    OMNISYNC_NEED_VECTORS(tiny);
    weights::Parameters parameters = tiny.parameters();
    const TransformerConfig config = tiny.config();
    const LipSyncTransformer model(Scope(parameters), config);
    const Scope block = Scope(parameters) / "blocks" / 0;
    const at::Tensor rows = model.time_of(613.37).rows + block.get("modulation", {1, 6, 96});
    const at::Tensor tokens = tiny.vectors("case0.tokens");
    const at::Tensor y = diffusion::modulated_norm(tokens, rows.select(1, 0), rows.select(1, 1), 36, 1e-6);
    const diffusion::Grid grid{3, 3, 4};
    const at::Tensor rotor =
        diffusion::rotor({diffusion::rotary_3d(grid, 32, 3, 4), diffusion::rotary_3d(grid, 32)}, y);
    const diffusion::KeyValue memory = diffusion::KeySide(block / "self_attn", config.attention())(y, rotor);
    const auto joined = [](const at::Tensor& heads) { return heads.transpose(1, 2).flatten(2); };
    EXPECT_TRUE(near(joined(memory.key), tiny.vectors("case0.block0.k_rope"), 3e-5));
    EXPECT_TRUE(near(joined(memory.value), tiny.vectors("case0.block0.v"), 3e-5));
    const diffusion::QuerySide queries(block / "self_attn", config.attention());
    EXPECT_TRUE(near(queries(y, memory, rotor), tiny.vectors("case0.block0.self_attn_out"), 3e-5));
}

TEST(GoldenDit, Activations) {
    const Vectors vectors("dit_tiny");
    OMNISYNC_NEED_VECTORS(vectors);
    const at::Tensor x = vectors("act.x");
    EXPECT_TRUE(near(at::gelu(x, "tanh"), vectors("act.gelu_tanh"), 1e-6));
    EXPECT_TRUE(near(at::gelu(x), vectors("act.gelu_erf"), 1e-6));
    EXPECT_TRUE(near(at::silu(x), vectors("act.silu"), 1e-6));
}

TEST(GoldenRope, Tables) {
    const Vectors vectors("rope");
    OMNISYNC_NEED_VECTORS(vectors);
    const auto check = [&](const std::string& name, const diffusion::Grid& grid, std::int64_t head_dim,
                           const at::Tensor& sample) {
        for (const bool source : {true, false}) {
            diffusion::Rotary made = source ? diffusion::rotary_3d(grid, head_dim, grid.rows, grid.columns)
                                            : diffusion::rotary_3d(grid, head_dim);
            if (sample.defined()) made = {made.cos.index_select(0, sample), made.sin.index_select(0, sample)};
            const std::string part = name + (source ? ".source" : ".target");
            EXPECT_TRUE(near(made.cos, vectors(part + ".cos"), 1e-12)) << part;
            EXPECT_TRUE(near(made.sin, vectors(part + ".sin"), 1e-12)) << part;
        }
    };
    check("tiny", {3, 3, 4}, 32, {});
    check("d128", {2, 4, 5}, 128, {});
    check("released", {20, 16, 16}, 128, vectors("released.sample_token_index"));
}

TEST(GoldenRope, Rotation) {
    const Vectors vectors("rope");
    OMNISYNC_NEED_VECTORS(vectors);
    const auto check = [&](const std::string& name, const diffusion::Grid& grid, std::int64_t head_dim) {
        const at::Tensor in = vectors(name + ".apply_in").clone().unsqueeze(0);
        const at::Tensor rotor = diffusion::rotor(
            {diffusion::rotary_3d(grid, head_dim, grid.rows, grid.columns), diffusion::rotary_3d(grid, head_dim)}, in);
        EXPECT_TRUE(near(diffusion::rotate_pairs(in, rotor)[0], vectors(name + ".apply_out"), 2e-6)) << name;
    };
    check("tiny", {3, 3, 4}, 32);
    check("d128", {2, 4, 5}, 128);
}

}  // namespace
}  // namespace omnisync::xdub
