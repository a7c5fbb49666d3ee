#include "diffusion/guidance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/exp.h>

#include <algorithm>
#include <cmath>

namespace omnisync::diffusion {

double guidance_at(double weight, double level, double start, double gamma, double floor) {
    return std::max(floor, weight * std::pow(level / start, gamma));
}

at::Tensor guided(const at::Tensor& conditional, const at::Tensor& unconditional, double weight) {
    return unconditional + (conditional - unconditional) * weight;
}

at::Tensor mouth_field(const at::Tensor& mouths, std::int64_t rows, std::int64_t columns, double sigma, double base) {
    const at::Tensor places = mouths.to(at::kFloat).view({-1, 2, 1, 1});
    const at::Tensor down = at::arange(rows, places.options()).view({1, -1, 1}) - places.select(1, 0);
    const at::Tensor across = at::arange(columns, places.options()).view({1, 1, -1}) - places.select(1, 1);
    return at::exp((down * down + across * across) / (-2 * sigma * sigma)) * (1 - base) + base;
}

}  // namespace omnisync::diffusion
