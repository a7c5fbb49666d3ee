#include "diffusion/flow.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>

namespace omnisync::diffusion {

std::vector<double> levels(double tau, int steps) {
    std::vector<double> all;
    for (int i = 0; i <= steps; ++i) all.push_back(tau * (steps - i) / steps);
    return all;
}

at::Tensor step_towards(const at::Tensor& x, const at::Tensor& clean, double from, double to) {
    return clean + (x - clean) * (to / from);
}

double guidance_at(double weight, double level, double start, double gamma) {
    return std::max(1.0, weight * std::pow(level / start, gamma));
}

at::Tensor guided(const at::Tensor& conditional, const at::Tensor& unconditional, double weight) {
    return unconditional + (conditional - unconditional) * weight;
}

}  // namespace omnisync::diffusion
