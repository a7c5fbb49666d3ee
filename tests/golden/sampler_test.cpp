// The sampling of X-Dub against the public reference's numbers (sampler, pipeline_tiny).
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "engines/xdub/sampling.h"
#include "golden/vectors.h"
#include "golden/xdub_config.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

using test::near;
using test::Vectors;

struct Table {
    const char* name;
    int steps;
};
constexpr std::array<Table, 4> kTables{Table{"s50", 50}, Table{"s30", 30}, Table{"s10", 10}, Table{"s4", 4}};
constexpr double kShift = 5;

at::Tensor column(const std::vector<double>& values) {
    return at::tensor(values, at::kDouble);
}

/// A column over the steps of a schedule: `value(level)`.
template <class Value>
at::Tensor over(int steps, const Value& value) {
    std::vector<double> column_of;
    const auto levels = diffusion::levels(1, steps, kShift);
    for (int i = 0; i < steps; ++i) column_of.push_back(value(levels[static_cast<std::size_t>(i)]));
    return column(column_of);
}

TEST(GoldenSampler, Schedules) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    for (const auto& [name, steps] : kTables) {
        const std::string table = name;
        const at::Tensor levels = column(diffusion::levels(1, steps, kShift));
        EXPECT_TRUE(near(levels, vectors(table + ".sigma"), 5e-7));
        EXPECT_TRUE(near(levels.diff(), vectors(table + ".dsigma"), 5e-7));
        const auto exact = [&](double level) { return step_time(level, Rounding::exact); };
        EXPECT_TRUE(near(over(steps, [&](double s) { return exact(s).tau; }), vectors(table + ".tau"), 5.5e-4));
        EXPECT_TRUE(near(over(steps, [&](double s) { return exact(s).level; }), vectors(table + ".t"), 5e-7));
        EXPECT_TRUE(near(over(steps, [&](double s) { return exact(s).border; }), vectors(table + ".border_b"), 5e-7));
        const auto scales = [&](double s) { return scales_at({}, exact(s).level, Rounding::exact); };
        EXPECT_TRUE(near(over(steps, [&](double s) { return scales(s).speech; }), vectors(table + ".g_audio"), 1.1e-5));
        EXPECT_TRUE(near(over(steps, [&](double s) { return scales(s).source; }), vectors(table + ".g_ref"), 2.5e-6));
    }
}

TEST(GoldenSampler, RoundedAsReleased) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    const auto same = [](const at::Tensor& made, const at::Tensor& truth) {
        return at::equal(made, truth.to(at::kDouble));
    };
    for (const auto& [name, steps] : kTables) {
        const std::string table = name + std::string(".bf16");
        const auto time = [](double level) { return step_time(level, Rounding::released); };
        const auto scales = [&](double s) { return scales_at({}, time(s).level, Rounding::released); };
        EXPECT_TRUE(same(over(steps, [&](double s) { return time(s).tau; }), vectors(table + ".tau")));
        EXPECT_TRUE(same(over(steps, [&](double s) { return time(s).level; }), vectors(table + ".t")));
        EXPECT_TRUE(same(over(steps, [&](double s) { return time(s).border; }), vectors(table + ".border_b")));
        EXPECT_TRUE(same(over(steps, [&](double s) { return scales(s).speech; }), vectors(table + ".g_audio")));
        EXPECT_TRUE(same(over(steps, [&](double s) { return scales(s).source; }), vectors(table + ".g_ref_scalar32")))
            << name << over(steps, [&](double s) { return scales(s).source; }) << vectors(table + ".g_ref_scalar32");
    }
}

TEST(GoldenSampler, ScalesAroundTheThresholds) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    const at::Tensor levels = vectors("sched.t");
    const auto column_of = [&](double source, double speech, bool of_source) {
        Guidance guidance;
        guidance.source = source;
        guidance.speech = speech;
        std::vector<double> made;
        for (std::int64_t i = 0; i < levels.numel(); ++i) {
            // The thresholds are float32 in the file.
            const Scales scales = scales_at(guidance, levels[i].item<float>(), Rounding::exact);
            made.push_back(of_source ? scales.source : scales.speech);
        }
        return column(made);
    };
    EXPECT_TRUE(near(column_of(2.5, 10, true), vectors("sched.g_ref_c2.5"), 2e-6));
    EXPECT_TRUE(near(column_of(2.0, 10, true), vectors("sched.g_ref_c2.0"), 2e-6));
    EXPECT_TRUE(near(column_of(1.0, 10, true), vectors("sched.g_ref_c1.0"), 2e-6));
    EXPECT_TRUE(near(column_of(2.5, 10, false), vectors("sched.g_audio_a10"), 2e-6));
    EXPECT_TRUE(near(column_of(2.5, 7, false), vectors("sched.g_audio_a7"), 2e-6));
}

TEST(GoldenSampler, OneStep) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    const auto levels = diffusion::levels(1, 50, kShift);
    const at::Tensor rows = vectors("step.index");
    const auto sigma = [&](std::size_t i) {  // in float32, as the step's truth
        return vectors("s50.sigma")[static_cast<std::int64_t>(i)].item<double>();
    };
    for (const Rounding rounding : {Rounding::exact, Rounding::released}) {
        const bool released = rounding == Rounding::released;
        const auto given = [&](const char* name) {
            return vectors(std::string("step.") + name).to(released ? at::kBFloat16 : at::kFloat);
        };
        const auto truth = [&](const std::string& name, std::int64_t row) {
            return vectors((released ? "step.bf16." : "step.") + name)[row];
        };
        const auto agree = [&](const at::Tensor& a, const at::Tensor& b, double tolerance) {
            return released ? near(a, b, 0) : near(a, b, tolerance);
        };
        const at::Tensor velocities = at::stack({given("v0"), given("v1"), given("v2")});
        for (std::int64_t row = 0; row < rows.numel(); ++row) {
            const auto i = static_cast<std::size_t>(rows[row].item<std::int64_t>());
            const StepTime time = step_time(levels[i], rounding);
            const at::Tensor v = guided(velocities, scales_at({}, time.level, rounding), {});
            EXPECT_TRUE(agree(v, truth("cfg", row), 2e-5)) << row;
            diffusion::Integrator euler(diffusion::Solver::euler);
            EXPECT_TRUE(agree(euler.step(given("x"), truth("cfg", row), sigma(i), sigma(i + 1)),
                              truth(released ? "euler_scalar32" : "euler", row), 1e-6));
            const at::Tensor x = given("x").clone();
            lock_border(x, border_content(given("source"), given("noise"), time.border, rounding), 0, 1);
            EXPECT_TRUE(agree(x, truth("border", row), 1e-6)) << row;
        }
    }
}

TEST(GoldenSampler, Border) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    const at::Tensor from_second = vectors("step.x").clone();
    lock_border(from_second, vectors("step.source"), 2, 1);
    EXPECT_TRUE(at::equal(from_second, vectors("border.motion_w1")));
    const at::Tensor wide = vectors("step.x").clone();
    lock_border(wide, vectors("step.source"), 0, 2);
    EXPECT_TRUE(at::equal(wide, vectors("border.w2")));
}

TEST(GoldenSampler, Noise) {
    const Vectors vectors("sampler");
    OMNISYNC_NEED_VECTORS(vectors);
    auto twister = at::make_generator<at::CPUGeneratorImpl>(42);
    const at::Tensor raw = vectors("noise.mt19937_seed42");
    for (std::int64_t i = 0; i < raw.numel(); ++i)
        EXPECT_EQ(at::check_generator<at::CPUGeneratorImpl>(twister)->random(), raw[i].item<std::int64_t>());
    EXPECT_TRUE(near(reference_noise(42, {64}), vectors("noise.seed42_n64"), 3e-6));
    EXPECT_TRUE(near(reference_noise(42, {50}), vectors("noise.seed42_n50"), 3e-6));
    EXPECT_TRUE(near(reference_noise(42, {17}), vectors("noise.seed42_n17"), 3e-6));
    EXPECT_TRUE(near(reference_noise(0, {32}), vectors("noise.seed0_n32"), 3e-6));
    EXPECT_TRUE(near(reference_noise(123456789012, {32}), vectors("noise.seed123456789012_n32"), 3e-6));
    EXPECT_TRUE(near(reference_noise(42, {48, 4, 4, 6}), vectors("noise.seed42_48x4x4x6"), 3e-6));
    EXPECT_THROW((void)reference_noise(42, {15}), Error);
    const at::Tensor released = reference_noise(42, {1, 48, 20, 32, 32});
    const at::Tensor some = released.flatten().index_select(0, vectors("noise.released_index"));
    EXPECT_TRUE(near(some, vectors("noise.released_value"), 3e-6));
    const at::Tensor sums = vectors("noise.released_sums");
    const at::Tensor wide = released.to(at::kDouble);
    EXPECT_NEAR(wide.sum().item<double>(), sums[0].item<double>(), 0.1);
    EXPECT_NEAR((wide * wide).sum().item<double>(), sums[1].item<double>(), 0.1);
    EXPECT_NEAR(released.to(at::kBFloat16).to(at::kDouble).sum().item<double>(), sums[2].item<double>(), 0.1);
}

/// Two clips of pipeline_tiny, each given what the stages before it gave.
TEST(GoldenSampling, ClipsStepByStep) {
    const Vectors vectors("pipeline_tiny");
    const Vectors file("dit_tiny_weights");
    OMNISYNC_NEED_VECTORS(vectors);
    OMNISYNC_NEED_VECTORS(file);
    weights::Parameters parameters = file.parameters();
    const auto config = test::transformer_config(nlohmann::json::parse(vectors.metadata("config")).at("dit"));
    LipSyncTransformer model(weights::Scope(parameters), config);
    for (const std::string variant : {"history", "released"})
        for (const std::string clip : {"clip0", "clip1"}) {
            const std::string part = variant + "." + clip;
            ClipLatents latents{vectors(part + ".source_latents"), vectors("in.noise"), {}};
            if (clip == "clip1") latents.motion = vectors(part + ".motion_latents");
            const Conditioning given = model.prepare(TextContext::empty_prompt(vectors("in.context_row0")),
                                                     latents.source, vectors("audio_window." + clip));
            Sampling sampling;
            sampling.steps = 4;
            int steps = 0;
            Watch watch;
            double worst_velocity = 0;
            watch.seen = [&](const StepSeen& step) {
                EXPECT_EQ(step.index, steps++);
                EXPECT_TRUE(near(step.before, vectors(part + ".step_x_in")[step.index], 1.5e-4)) << part << step.index;
                EXPECT_TRUE(near(step.velocities, vectors(part + ".step_v")[step.index], 1e-4)) << part << step.index;
                EXPECT_TRUE(near(step.after, vectors(part + ".step_x_out")[step.index], 1.5e-4)) << part << step.index;
                worst_velocity =
                    std::max(worst_velocity, test::deviation(step.velocities, vectors(part + ".step_v")[step.index]));
            };
            const at::Tensor made = sample_clip(model, given, latents, sampling, watch);
            EXPECT_EQ(steps, 4);
            EXPECT_TRUE(near(made, vectors(part + ".latents"), 1.5e-4)) << part;
            RecordProperty(variant + "_" + clip + "_latents",
                           std::to_string(test::deviation(made, vectors(part + ".latents"))));
            RecordProperty(variant + "_" + clip + "_velocity", std::to_string(worst_velocity));
        }
}

/// The released run's bfloat16 from the first to the last step. There is no reference run to compare with: it must stay
/// near float32's, and its own type. Guidance multiplies what the network rounds by ten.
TEST(GoldenSampling, AsReleasedInBfloat16) {
    const Vectors vectors("pipeline_tiny");
    const Vectors file("dit_tiny_weights");
    OMNISYNC_NEED_VECTORS(vectors);
    OMNISYNC_NEED_VECTORS(file);
    weights::Parameters parameters(file.file().tensors, "tiny", at::kBFloat16);
    const auto config = test::transformer_config(nlohmann::json::parse(vectors.metadata("config")).at("dit"));
    LipSyncTransformer model(weights::Scope(parameters), config);
    const ClipLatents latents{vectors("history.clip0.source_latents"), vectors("in.noise"), {}};
    const Conditioning given = model.prepare(TextContext::empty_prompt(vectors("in.context_row0")), latents.source,
                                             vectors("audio_window.clip0"));
    const at::Tensor truth = vectors("history.clip0.latents");
    const auto off = [&](Rounding rounding) {
        Sampling sampling;
        sampling.steps = 4;
        sampling.rounding = rounding;
        const at::Tensor made = sample_clip(model, given, latents, sampling);
        EXPECT_EQ(made.scalar_type(), rounding == Rounding::released ? at::kBFloat16 : at::kFloat);
        return ((made.to(at::kFloat) - truth).norm() / truth.norm()).item<double>();
    };
    EXPECT_LT(off(Rounding::exact), 0.05);
    EXPECT_LT(off(Rounding::released), 0.1);
    RecordProperty("exact", std::to_string(off(Rounding::exact)));
    RecordProperty("released", std::to_string(off(Rounding::released)));
}

}  // namespace
}  // namespace omnisync::xdub
