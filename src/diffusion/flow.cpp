#include "diffusion/flow.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/mse_loss.h>

namespace omnisync::diffusion {

at::Tensor at_level(const at::Tensor& clean, const at::Tensor& noise, double level) {
    return clean * (1 - level) + noise * level;
}

at::Tensor step_towards(const at::Tensor& x, const at::Tensor& clean, double from, double to) {
    return clean + (x - clean) * (to / from);
}

at::Tensor velocity_loss(const at::Tensor& predicted, const at::Tensor& clean, const at::Tensor& noise) {
    return at::mse_loss(predicted, noise - clean);
}

}  // namespace omnisync::diffusion
