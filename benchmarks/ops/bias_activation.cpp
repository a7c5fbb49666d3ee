// bench_ops_bias_activation: bias and activation in place, and a guided step in one pass, against LibTorch's
// operations, in turns in one run.
#include "ops/bias_activation.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <c10/core/InferenceMode.h>

#include "diffusion/guidance.h"
#include "ops/guided_step.h"
#include "turns.h"

namespace {

using namespace omnisync;

void compare(std::int64_t rows, std::int64_t columns, at::ScalarType type) {
    const at::Tensor start = at::randn({rows, columns}, at::TensorOptions(type)) * 2;
    const at::Tensor bias = at::randn({columns}, at::TensorOptions(type)) * 0.1;
    at::Tensor x = start.clone();
    const double bytes = 2.0 * static_cast<double>(x.numel()) * static_cast<double>(x.element_size());
    const std::string shape =
        std::to_string(rows) + " x " + std::to_string(columns) + (type == at::kFloat ? ", f32, " : ", bf16, ");
    const auto pair = [&](const char* name, kernels::Activation activation, auto theirs) {
        bench::compare(
            shape + name + " with bias, in place", bytes,
            [&] { ops::bias_activation_(x.copy_(start), bias, activation); },
            [&] { theirs(x.copy_(start).add_(bias)); });
        bench::compare(
            shape + name + " alone, in place", bytes, [&] { ops::bias_activation_(x.copy_(start), {}, activation); },
            [&] { theirs(x.copy_(start)); });
    };
    pair("GELU (tanh)", kernels::Activation::gelu_tanh, [](at::Tensor y) { at::gelu_(y, "tanh"); });
    pair("GELU (erf)", kernels::Activation::gelu_erf, [](at::Tensor y) { at::gelu_(y); });
    pair("SiLU", kernels::Activation::silu, [](at::Tensor y) { at::silu_(y); });
}

void compare_steps() {
    const at::Tensor v = at::randn({3, 48, 20, 32, 32}), x = at::randn({48, 20, 32, 32}), out = at::empty_like(x);
    const double bytes = 20.0 * static_cast<double>(x.numel());
    bench::compare(
        "X-Dub's step, 48 x 20 x 32 x 32, three branches", bytes,
        [&] {
            ops::guided_step({.x = x,
                              .out = out,
                              .base = v[1],
                              .first = v[0],
                              .last = v[2],
                              .first_scale = 2.5,
                              .scale = 7,
                              .dt = -0.02});
        },
        [&] { (void)(x + (v[0] + (v[1] - v[0]) * 2.5 + (v[2] - v[1]) * 7) * -0.02); });
    const at::Tensor mouths = at::randn({20, 4}).abs_() + 1;
    bench::compare(
        "in the mouths' field, two branches", 16.0 * static_cast<double>(x.numel()),
        [&] {
            ops::guided_step(
                {.x = x, .out = out, .base = v[0], .last = v[1], .scale = 7, .mouths = mouths, .dt = -0.02});
        },
        [&] {
            const at::Tensor field = diffusion::mouth_field(mouths.narrow(1, 0, 2), 32, 32, 4, 0.1);
            (void)(x + (v[0] + (v[1] - v[0]) * (field * 7).clamp_min(0)) * -0.02);
        });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    bench::on_one_and_two_threads("; copying the start is part of both", [] {
        compare(576, 768, at::kFloat);
        compare(1024, 1536, at::kFloat);
        compare(1024, 1536, at::kBFloat16);
        compare_steps();
    });
}
