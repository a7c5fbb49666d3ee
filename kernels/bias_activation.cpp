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

/// x erfc(-x / sqrt 2) / 2. With a = |x| / sqrt 2 and t = 1 / (1 + 0.35 a), erfc(a) / 2 is exp(-a^2) t times a
/// polynomial of degree 9 in t, interpolated at Chebyshev nodes for a <= 9.5 (4e-8 with rounded coefficients).
template <class L>
OMNISYNC_HD L gelu_erf(const L& x) {
    const L a = lanewise([](auto v) OMNISYNC_INLINE { return (v < 0.0F ? -v : v) * 0.707106781F; }, x);
    const L t = all_lanes<L>(1.0F) / (a * 0.35F + 1.0F);
    L p = all_lanes<L>(0.0178549923F);
    for (const float coefficient : {-0.0720893964F, 0.0732009634F, 0.00982505269F, 0.0235141329F, 0.0839512348F,
                                    0.0717310607F, 0.0948007554F, 0.0984636918F, 0.0987475216F})
        p = line(coefficient, p, t);
    const L tail = p * t * exp(x * x * -0.5F);
    return lanewise(
        [](auto v, auto away, auto h) OMNISYNC_INLINE {
            const auto near = away < 9.3F ? h : h * 0.0F;  // exp() does not go below e^-87
            const auto part = v < 0.0F ? near : 1.0F - near;
            return v * part;
        },
        x, a, tail);
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
