// bench_ops_gated_norm: gated residual, norm and modulation in one pass against LibTorch's operations, in turns in one
// run: as models write them, and with its best (in place, addcmul). Copying the same memory, for scale.
#include "ops/gated_norm.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/addcmul.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/rms_norm.h>
#include <c10/core/InferenceMode.h>

#include "turns.h"

namespace {

using namespace omnisync;

struct Shape {
    const char* what;
    std::int64_t batch, tokens, width;
};

void compare(const Shape& shape, at::ScalarType type, kernels::Norm norm) {
    const auto options = at::TensorOptions(type);
    const at::Tensor x = at::randn({shape.batch, shape.tokens, shape.width}, options);
    const at::Tensor branch = at::randn(x.sizes(), options);
    const at::Tensor out = at::empty_like(x);
    const at::Tensor rows = at::randn({shape.batch, 3, shape.width}, options) * 0.01;
    const auto row = [&](std::int64_t i) { return rows.narrow(1, i, 1); };
    const at::Tensor gate = row(0), scale = row(1), shift = row(2);
    const auto normed = [&](const at::Tensor& value) {
        return norm == kernels::Norm::layer ? at::layer_norm(value, {shape.width}, {}, {}, 1e-6)
                                            : at::rms_norm(value, {shape.width}, {}, 1e-6);
    };
    const ops::GatedNorm job{
        .x = x, .branch = branch, .out = out, .norm = norm, .gate = gate, .scale = scale, .shift = shift};
    const double bytes = 4.0 * static_cast<double>(x.numel()) * static_cast<double>(x.element_size());
    std::string name = std::string(shape.what) + (type == at::kFloat ? ", f32" : ", bf16") +
                       (norm == kernels::Norm::layer ? ", layer" : ", rms");
    const auto ours = [&] { ops::gated_norm(job); };
    bench::compare(name + ", as models write it", bytes, ours, [&] {
        const at::Tensor joined = x + gate * branch;
        const at::Tensor h = normed(joined) * (scale + 1) + shift;
    });
    bench::compare(name + ", best operations", bytes, ours, [&] {
        x.addcmul_(gate, branch);
        const at::Tensor h = at::addcmul(shift, normed(x), scale + 1);
    });
    bench::compare(name + ", copying as many bytes", bytes, ours, [&] {
        out.copy_(x);
        out.copy_(branch);
    });
}

}  // namespace

int main() {
    const c10::InferenceMode inference;
    bench::on_one_and_two_threads("", [] {
        for (const Shape& shape : {Shape{"4 x 144 x 192", 4, 144, 192}, Shape{"2 x 1280 x 384", 2, 1280, 384},
                                   Shape{"1 x 1024 x 3072", 1, 1024, 3072}})
            for (const at::ScalarType type : {at::kFloat, at::kBFloat16})
                for (const kernels::Norm norm : {kernels::Norm::layer, kernels::Norm::rms})
                    if (norm == kernels::Norm::layer || shape.width == 384) compare(shape, type, norm);
    });
}
