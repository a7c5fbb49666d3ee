#include "diffusion/modulation.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cos.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/sin.h>
#include <ATen/ops/tensor.h>

namespace omnisync::diffusion {
namespace {

template <class Act>
void on_both_parts(const at::Tensor& x, std::int64_t at_rest, const Act& act) {
    if (at_rest > 0) act(x.narrow(1, 0, at_rest), 0);
    if (at_rest < x.size(1)) act(x.narrow(1, at_rest, x.size(1) - at_rest), 1);
}

}  // namespace

at::Tensor time_waves(at::ArrayRef<double> times, std::int64_t width) {
    const std::int64_t half = width / 2;
    const at::Tensor turns = at::pow(10'000.0, at::arange(half, at::kDouble) / static_cast<double>(-half));
    const at::Tensor angles = at::tensor(times, at::kDouble).unsqueeze(1) * turns;
    return at::cat({at::cos(angles), at::sin(angles)}, 1);
}

void modulate_(const at::Tensor& x, const at::Tensor& shift, const at::Tensor& scale, std::int64_t at_rest) {
    on_both_parts(x, at_rest, [&](at::Tensor part, int row) { part.mul_(scale[row] + 1).add_(shift[row]); });
}

void gate_(const at::Tensor& x, const at::Tensor& gate, std::int64_t at_rest) {
    on_both_parts(x, at_rest, [&](at::Tensor part, int row) { part.mul_(gate[row]); });
}

}  // namespace omnisync::diffusion
