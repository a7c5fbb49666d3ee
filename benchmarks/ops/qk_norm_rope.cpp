// bench_ops_qk_norm_rope: norm and rotation of queries and keys in place against LibTorch's operations, in turns in one
// run: as models write them, and with its best (fused rms_norm, complex product in place). Copying q and k, for scale.
#include "ops/qk_norm_rope.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rms_norm.h>
#include <ATen/ops/rsqrt.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/InferenceMode.h>

#include "turns.h"

namespace {

using namespace omnisync;

struct Shape {
    const char* what;
    std::int64_t batch, tokens, heads, head_dim;
    [[nodiscard]] std::int64_t width() const { return heads * head_dim; }
};

/// x [B, T, width], as X-Dub's blocks do it one by one: a float32 norm, and pairs turned as complex numbers.
at::Tensor as_written(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& rotor, const Shape& shape) {
    const at::Tensor wide = x.to(at::kFloat);
    const at::Tensor normal = (wide * at::rsqrt(wide.pow(2).mean(-1, true) + 1e-6)).to(x.scalar_type()) * gain;
    const at::Tensor pairs = at::view_as_complex(
        normal.to(at::kFloat).view({shape.batch, shape.tokens, shape.heads, shape.head_dim / 2, 2}));
    return at::view_as_real(pairs * rotor.unsqueeze(1)).flatten(2).to(x.scalar_type());
}

at::Tensor with_best(const at::Tensor& x, const at::Tensor& gain, const at::Tensor& rotor, const Shape& shape) {
    at::Tensor normal = at::rms_norm(x, {shape.width()}, gain, 1e-6).to(at::kFloat);
    at::view_as_complex(normal.view({shape.batch, shape.tokens, shape.heads, shape.head_dim / 2, 2}))
        .mul_(rotor.unsqueeze(1));
    return normal.to(x.scalar_type());
}

void compare_pairs(const Shape& shape, at::ScalarType type) {
    const at::Tensor q = at::randn({shape.batch, shape.tokens, shape.width()}, at::TensorOptions(type));
    const at::Tensor k = at::randn({shape.batch, shape.tokens, shape.width()}, at::TensorOptions(type));
    const at::Tensor gain = at::ones({shape.width()}, at::TensorOptions(type));
    const at::Tensor rotor = at::randn({shape.tokens, shape.head_dim / 2}, at::kComplexFloat);
    const at::Tensor q_copy = at::empty_like(q), k_copy = at::empty_like(k);
    const auto heads = [&](const at::Tensor& x) { return x.unflatten(-1, {shape.heads, shape.head_dim}); };
    const ops::QkNormRope job{.q = heads(q),
                              .k = heads(k),
                              .norm = kernels::QkNorm::token,
                              .q_gain = gain,
                              .k_gain = gain,
                              .rotation = kernels::Rotation::pairs,
                              .cos = rotor / rotor.abs()};
    const double bytes = 4.0 * static_cast<double>(q.numel()) * static_cast<double>(q.element_size());
    const std::string name = std::string(shape.what) + (type == at::kFloat ? ", f32" : ", bf16") + ", norm and pairs";
    const auto ours = [&] { ops::qk_norm_rope(job); };
    bench::compare(name + ", as models write it", bytes, ours, [&] {
        as_written(q, gain, rotor, shape);
        as_written(k, gain, rotor, shape);
    });
    bench::compare(name + ", best operations", bytes, ours, [&] {
        with_best(q, gain, rotor, shape);
        with_best(k, gain, rotor, shape);
    });
    bench::compare(name + ", copying as many bytes", bytes, ours, [&] {
        q_copy.copy_(q);
        k_copy.copy_(k);
    });
}

/// Packed QKV, halves, no norm: our small transformer (diffusion/transformer.cpp).
void compare_halves(const Shape& shape) {
    const at::Tensor qkv = at::randn({shape.batch, shape.tokens, 3, shape.heads, shape.head_dim});
    const at::Tensor cos = at::randn({shape.tokens, shape.head_dim / 2}).cos(), sin = (1 - cos * cos).sqrt();
    const ops::QkNormRope job{
        .q = qkv.select(2, 0), .k = qkv.select(2, 1), .rotation = kernels::Rotation::halves, .cos = cos, .sin = sin};
    const auto rotate = [&](const at::Tensor& x) {
        const auto halves = x.chunk(2, -1);
        return at::cat({halves[0] * cos - halves[1] * sin, halves[0] * sin + halves[1] * cos}, -1);
    };
    const at::Tensor views = qkv.permute({2, 0, 3, 1, 4});
    const std::string name = std::string(shape.what) + ", f32, packed, halves";
    bench::compare(
        name, 4.0 * static_cast<double>(qkv.numel()) * 4.0 / 3.0, [&] { ops::qk_norm_rope(job); },
        [&] {
            rotate(views[0]);
            rotate(views[1]);
        });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    bench::on_one_and_two_threads("", [] {
        compare_halves({"4 x 144 x 6 x 32", 4, 144, 6, 32});
        compare_halves({"2 x 1280 x 6 x 64", 2, 1280, 6, 64});
        for (const Shape& shape :
             {Shape{"2 x 1280 x 6 x 64", 2, 1280, 6, 64}, Shape{"1 x 1024 x 24 x 128", 1, 1024, 24, 128}})
            for (const at::ScalarType type : {at::kFloat, at::kBFloat16}) compare_pairs(shape, type);
    });
}
