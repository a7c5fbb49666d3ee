// The noise levels that a sampling visits, and how it gets from one to the next. Level 1 is noise alone, 0 is data
// (docs/architecture.md, "Notation").
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace omnisync::diffusion {

/// Levels of a sampling of `steps` steps from `tau` to 0: steps + 1 numbers. Evenly spaced with shift 1; with a larger
/// one the evenly spaced s become shift s / (1 + (shift - 1) s): more steps near noise.
[[nodiscard]] std::vector<double> levels(double tau, int steps, double shift = 1);

/// The tail of a schedule: `tau`, then those of `levels` that lie below it.
[[nodiscard]] std::vector<double> levels_below(const std::vector<double>& levels, double tau);

enum class Solver {
    euler,
    multistep  ///< Adams-Bashforth of second order: as many evaluations as Euler's, errors of the step's square
};

/// Follows dx / dlevel = velocity. Keeps what the solver needs of the steps before; one object per sampling.
class Integrator {
public:
    explicit Integrator(Solver solver) : solver_(solver) {}
    /// x at level `to`, given x and its velocity at `from`. Levels of successive calls follow one another.
    [[nodiscard]] at::Tensor step(const at::Tensor& x, const at::Tensor& velocity, double from, double to);

private:
    Solver solver_;
    at::Tensor before_;  // the last step's velocity, and how far it went
    double stride_ = 0;
};

}  // namespace omnisync::diffusion
