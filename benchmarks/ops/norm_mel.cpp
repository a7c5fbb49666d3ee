// bench_ops_norm_mel: norms over channels with SiLU and mel bands against the same by LibTorch, in turns in one run.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/fft_rfft.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/hann_window.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/square.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "ops/log_mel.h"
#include "ops/norm_silu.h"
#include "speech/slaney_log_mel.h"
#include "turns.h"

namespace {

using namespace omnisync;

at::Tensor rms(const at::Tensor& x, const at::Tensor& gamma) {
    at::Tensor y = x / at::linalg_vector_norm(x, 2, {1}, true).clamp_min_(1e-12);
    return y.mul_(std::sqrt(static_cast<double>(x.size(1)))).mul_(gamma);
}

void compare_norms(at::ScalarType type) {
    const at::Tensor x = at::randn({1, 160, 4, 64, 64}).to(type), gamma = at::ones({160, 1, 1, 1}).to(type);
    const at::Tensor last = x.contiguous(at::MemoryFormat::ChannelsLast3d);
    const auto name = [&](const char* what) {
        return std::string(what) + (type == at::kFloat ? ", 160x4x64x64 f32" : ", 160x4x64x64 bf16");
    };
    for (const bool silu : {false, true})
        bench::compare(
            name(silu ? "RMS norm and SiLU" : "RMS norm"), 0, [&] { (void)ops::rms_norm_silu(x, gamma, silu); },
            [&] {
                at::Tensor y = rms(x, gamma);
                if (silu) at::silu_(y);
            });
    bench::compare(
        name("the same, channels last"), 0, [&] { (void)ops::rms_norm_silu(last, gamma, true); },
        [&] {
            at::Tensor y = rms(last, gamma);
            at::silu_(y);
        });
    const at::Tensor weight = gamma.flatten(), bias = at::zeros({160}).to(type);
    for (const at::Tensor& frames : {x, last})
        bench::compare(
            name(frames.is_contiguous() ? "group norm and SiLU" : "the same, channels last"), 0,
            [&] { (void)ops::group_norm_silu(frames, 32, weight, bias, 1e-5, true); },
            [&] {
                at::Tensor y = at::group_norm(frames, 32, weight, bias, 1e-5);
                at::silu_(y);
            });
}

void compare_mel() {
    const at::Tensor samples = at::randn({60 * speech::kRateHz}) * 0.1, window = at::hann_window(speech::kWindow);
    const at::Tensor filters = speech::slaney_filters(), turned = filters.t().contiguous();
    const ops::MelBands bands(window, speech::kWindow, filters, true);
    bench::compare(
        "log-mel, 60 s of speech", 0, [&] { (void)bands(samples, speech::kHop); },
        [&] {
            const at::Tensor windows = samples.unfold(0, speech::kWindow, speech::kHop) * window;
            (void)at::matmul(at::square(at::abs(at::fft_rfft(windows))), turned).clamp_min_(1e-10).log10_();
        });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    bench::on_one_and_two_threads("", [] {
        compare_norms(at::kFloat);
        compare_norms(at::kBFloat16);
        compare_mel();
    });
}
