#include "diffusion/schedule.h"

#include <ATen/TensorOperators.h>

namespace omnisync::diffusion {

std::vector<double> levels(double tau, int steps, double shift) {
    const double first = tau / (shift - (shift - 1) * tau);  // what the shift turns into tau
    std::vector<double> all;
    for (int i = 0; i <= steps; ++i) {
        const double s = first * (steps - i) / steps;
        all.push_back(shift * s / (1 + (shift - 1) * s));
    }
    return all;
}

std::vector<double> levels_below(const std::vector<double>& levels, double tau) {
    std::vector<double> tail{tau};
    for (const double level : levels)
        if (level < tau) tail.push_back(level);
    return tail;
}

at::Tensor Integrator::step(const at::Tensor& x, const at::Tensor& velocity, double from, double to) {
    const double stride = to - from;
    if (solver_ == Solver::euler) return x + velocity * stride;
    const double extrapolated = before_.defined() ? 0.5 * stride / stride_ : 0;
    const at::Tensor slope = extrapolated == 0 ? velocity : velocity * (1 + extrapolated) - before_ * extrapolated;
    before_ = velocity;
    stride_ = stride;
    return x + slope * stride;
}

}  // namespace omnisync::diffusion
