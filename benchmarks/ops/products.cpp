// bench_ops_products: short attention and packed linear layers, in float32, bfloat16 and 8 bits, against LibTorch's, in
// turns in one run; and the peak of one core, measured in the same run by multiply-adds on registers alone.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "benchmarks/ops/turns.h"
#include "kernels/int8_linear.h"
#include "kernels/simd.h"
#include "omnisync/error.h"
#include "ops/attention.h"
#include "ops/linear.h"

namespace {

using namespace omnisync;

#ifdef __x86_64__
// Twelve sums that do not wait for one another.
#define OMNISYNC_TWELVE(op)                                                                         \
    op " %%zmm30,%%zmm31,%%zmm0\n" op " %%zmm30,%%zmm31,%%zmm1\n" op " %%zmm30,%%zmm31,%%zmm2\n" op \
       " %%zmm30,%%zmm31,%%zmm3\n" op " %%zmm30,%%zmm31,%%zmm4\n" op " %%zmm30,%%zmm31,%%zmm5\n" op \
       " %%zmm30,%%zmm31,%%zmm6\n" op " %%zmm30,%%zmm31,%%zmm7\n" op " %%zmm30,%%zmm31,%%zmm8\n" op \
       " %%zmm30,%%zmm31,%%zmm9\n" op " %%zmm30,%%zmm31,%%zmm10\n" op " %%zmm30,%%zmm31,%%zmm11\n"
#define OMNISYNC_TOUCHED \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"

template <class Body>
double best_rate(double operations, const Body& body) {
    double best = 1e30;
    for (int i = 0; i < 40; ++i) best = std::min(best, bench::seconds(body));
    return operations / best * 1e-9;
}

void print_peaks() {
    constexpr int kTurns = 100'000;
    if (kernels::best_simd() < kernels::Simd::avx512) return;
    const double f32 = best_rate(12.0 * 32 * kTurns, [] {
        for (int i = 0; i < kTurns; ++i) asm volatile(OMNISYNC_TWELVE("vfmadd231ps")::: OMNISYNC_TOUCHED);
    });
    std::printf("peak of one core: float32 %.0f GFLOP/s", f32);
    if (kernels::has_fast_int8()) {
        const double int8 = best_rate(12.0 * 128 * kTurns, [] {
            for (int i = 0; i < kTurns; ++i) asm volatile(OMNISYNC_TWELVE("vpdpbusd")::: OMNISYNC_TOUCHED);
        });
        std::printf(", int8 %.0f GOP/s", int8);
    }
    std::printf("\n");
}
#else
void print_peaks() {}
#endif

void compare_attention(at::ScalarType type, std::int64_t tokens, std::int64_t width) {
    constexpr std::int64_t kHeads = 6;
    const at::Tensor qkv = at::randn({1, tokens, 3 * kHeads * width}).to(type);
    const at::Tensor out = at::empty({1, tokens, kHeads * width}, qkv.options());
    const at::Tensor parts = qkv.view({1, tokens, 3, kHeads, width}).permute({2, 0, 3, 1, 4});
    bench::compare(
        concat("attention ", c10::toString(type), ", ", tokens, " tokens, 6 heads of ", width), 0,
        [&] { ops::packed_attention(qkv, kHeads, out); },
        [&] { (void)at::scaled_dot_product_attention(parts[0], parts[1], parts[2]); });
}

void compare_linear(std::int64_t rows, std::int64_t in, std::int64_t columns) {
    const at::Tensor x = at::randn({rows, in});
    const at::Tensor weight = at::randn({columns, in});
    const at::Tensor bias = at::randn({columns});
    const at::Tensor out = at::empty({rows, columns});
    const ops::FixedLinear packed(weight, bias);
    const ops::FixedLinear rounded(weight, bias, ops::Rounding::int8);
    const at::Tensor short_x = x.to(at::kBFloat16);
    const at::Tensor short_weight = weight.to(at::kBFloat16);
    const at::Tensor short_bias = bias.to(at::kBFloat16);
    const auto name = [&](const char* what) { return concat(what, " ", rows, " rows, ", in, " to ", columns); };
    bench::compare(
        name("float32"), 0, [&] { packed(x, out); }, [&] { (void)at::linear(x, weight, bias); });
    bench::compare(
        name("8 bits against float32"), 0, [&] { rounded(x, out); }, [&] { (void)at::linear(x, weight, bias); });
    bench::compare(
        name("8 bits against bfloat16"), 0, [&] { rounded(x, out); },
        [&] { (void)at::linear(short_x, short_weight, short_bias); });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    print_peaks();
    bench::on_one_and_two_threads("", [] {
        for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
            for (const std::int64_t width : {32, 64, 128})
                for (const std::int64_t tokens : {144, 256, 512, 1024}) compare_attention(type, tokens, width);
        for (const std::int64_t rows : {144, 1152})
            for (const auto& [in, columns] : {std::pair{192L, 576L}, {192, 192}, {192, 768}, {768, 192}, {1088, 192}})
                compare_linear(rows, in, columns);
    });
    print_peaks();
}
