#include "kernels/bias_activation.h"

#include <algorithm>

#include "kernels/lanes_math.h"

namespace omnisync::kernels {
namespace {

constexpr std::int64_t kTaskColumns = 4096;

std::int64_t tasks_per_row(const BiasActivation& job) {
    return (job.columns + kTaskColumns - 1) / kTaskColumns;
}

/// x / (1 + exp(-z))
template <class L>
OMNISYNC_HD L gated(const L& x, const L& z) {
    return x / (exp(z * -1.0F) + 1.0F);
}

/// erf(u), within 5.3 * 2^-24: u P(u^2) / Q(u^2) up to 3.925, interpolated at Chebyshev nodes (2e-8), from there on 1.
template <class L>
OMNISYNC_HD L erf(const L& u) {
    constexpr float kEnd = 3.925F;
    const L in = clamped(u, -kEnd, kEnd);
    const L square = in * in;
    L p = all_lanes<L>(-1.49434782e-8F);
    for (const float coefficient :
         {5.04297525e-6F, 3.91722259e-4F, 3.8284642e-3F, 5.44258664e-2F, 0.183717654F, 1.12837919F})
        p = line(coefficient, p, square);
    L q = all_lanes<L>(6.65012831e-5F);
    for (const float coefficient : {1.31951731e-3F, 1.54624698e-2F, 0.113615104F, 0.496149241F, 1.0F})
        q = line(coefficient, q, square);
    return lanewise(
        [](auto v, auto inner) OMNISYNC_INLINE {
            const auto right = v >= kEnd ? inner * 0.0F + 1.0F : inner;
            return v <= -kEnd ? inner * 0.0F - 1.0F : right;
        },
        in, in * p / q);
}

/// x (1 + erf(x / sqrt 2)) / 2
template <class L>
OMNISYNC_HD L gelu_erf(const L& x) {
    const L half = x * 0.5F;
    return multiply_add(half, erf(x * 0.707106781F), half);
}

template <Activation kActivation, class L>
OMNISYNC_HD L activated(const L& x) {
    if constexpr (kActivation == Activation::silu)
        return gated(x, x);
    else if constexpr (kActivation == Activation::gelu_tanh)
        return gated(x, x * (x * x * 0.0713548163F + 1.59576912F));
    else
        return gelu_erf(x);
}

template <class L, Activation kActivation, class T, class B>
OMNISYNC_HD void do_tasks(const BiasActivation& job, Tasks tasks) {
    const std::int64_t per_row = (job.columns + kTaskColumns - 1) / kTaskColumns;
    for (std::int64_t task = tasks.begin; task < tasks.end; ++task) {
        const std::int64_t row = task / per_row;
        const std::int64_t begin = task % per_row * kTaskColumns;
        const T* x = static_cast<const T*>(job.x) + row * job.x_stride + begin;
        T* out = static_cast<T*>(job.out) + row * job.out_stride + begin;
        const std::int64_t count = std::min(kTaskColumns, job.columns - begin);
        if (job.bias == nullptr) {
            for_lanes(count, [&](std::int64_t i, int some) OMNISYNC_INLINE {
                store(out + i, activated<kActivation>(load<L>(x + i, some)), some);
            });
        } else {
            const B* bias = static_cast<const B*>(job.bias) + begin;
            for_lanes(count, [&](std::int64_t i, int some) OMNISYNC_INLINE {
                store(out + i, activated<kActivation>(load<L>(x + i, some) + load<L>(bias + i, some)), some);
            });
        }
    }
}

template <Activation kActivation>
void run_activation(const BiasActivation& job, Tasks tasks, Simd simd) {
    with_type(job.type, [&]<class T>(T) {
        with_type(job.bias_type, [&]<class B>(B) {
            run_lanes(simd, [&]<class L>(L) OMNISYNC_INLINE { do_tasks<L, kActivation, T, B>(job, tasks); });
        });
    });
}

}  // namespace

std::int64_t bias_activation_tasks(const BiasActivation& job) {
    return job.rows * tasks_per_row(job);
}

void bias_activation_cpu(const BiasActivation& job, Tasks tasks, Simd simd) {
    if (job.activation == Activation::silu) return run_activation<Activation::silu>(job, tasks, simd);
    if (job.activation == Activation::gelu_tanh) return run_activation<Activation::gelu_tanh>(job, tasks, simd);
    run_activation<Activation::gelu_erf>(job, tasks, simd);
}

}  // namespace omnisync::kernels
