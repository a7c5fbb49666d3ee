// Activations against double precision: single values over their whole range, then shapes; variants, splits and CUDA
// against one another; and how fast.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/bias_activation.h"
#include "tensors.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Exact {
    double value, scale;
};

Exact exact(Activation activation, double x) {
    if (activation == Activation::gelu_erf) return {x * std::erfc(-x / std::numbers::sqrt2) / 2, std::abs(x)};
    const double z =
        activation == Activation::silu ? x : 2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x);
    const double value = x / (1 + std::exp(-z));
    return {value, std::abs(value) * (1 + std::abs(z))};
}

/// In units of 2^-24 s (bias_activation.h), beyond the result's rounding.
double units(Activation activation, Type type, double x, double got) {
    const Exact expected = exact(activation, x);
    const double error = std::abs(got - expected.value) - rounding_of(type) * std::abs(expected.value) - 1e-36;
    if (!(error > 0)) return std::isnan(error) ? 1e30 : 0;
    return error / (0x1p-24 * expected.scale + 1e-300);
}

struct Scene {
    BiasActivation job;
    RandomTensor x, out, bias;
};

Scene random_scene(Check& check, Type type, bool huge) {
    Scene scene;
    BiasActivation& job = scene.job;
    job.type = type;
    job.bias_type = check.chance(0.7) ? type : type == Type::f32 ? Type::bf16 : Type::f32;
    job.activation = static_cast<Activation>(check.number(0, 2));
    job.rows = huge ? check.size(1, 4) : check.size(0, 60);
    job.columns = huge ? check.size(1 << 16, 1 << 19) : check.size(0, 600);
    const double width = std::pow(10.0, static_cast<double>(check.number(-3, 2)));
    scene.x = RandomTensor(check, type, {job.rows, job.columns}, {width, 0.0});
    if (check.chance(0.4)) scene.out = RandomTensor(check, type, {job.rows, job.columns}, {});
    if (check.chance(0.5)) scene.bias = RandomTensor(check, job.bias_type, {job.columns}, {});
    check.scene(name(type), " bias ", name(job.bias_type), scene.bias.there(), ", ", job.rows, " x ", job.columns,
                ", activation ", static_cast<int>(job.activation), ", in place ", !scene.out.there());
    return scene;
}

template <class At>
BiasActivation placed(const Scene& scene, const At& at) {
    BiasActivation job = scene.job;
    const RandomTensor& out = scene.out.there() ? scene.out : scene.x;
    job.x = at(scene.x);
    job.x_stride = scene.x.stride(0);
    job.out = at(out);
    job.out_stride = out.stride(0);
    job.bias = scene.bias.there() ? at(scene.bias) : nullptr;
    return job;
}

void compare_values(Check& check, const Scene& scene, const BiasActivation& got, double& worst) {
    const BiasActivation from = placed(scene, [](const RandomTensor& tensor) { return tensor.original(); });
    const std::int64_t count = from.rows * from.columns;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 500); ++i) {
        const std::int64_t index = count <= 500 ? i : i == 0 ? count - 1 : check.number(0, count - 1);
        const std::int64_t row = index / from.columns, column = index % from.columns;
        double x = value_at(from.x, from.type, row * from.x_stride + column);
        if (from.bias != nullptr) x += value_at(from.bias, from.bias_type, column);
        const double value = value_at(got.out, got.type, row * got.out_stride + column);
        const double error = units(from.activation, from.type, x, value);
        worst = std::max(worst, error);
        check.expect(error <= kBiasActivationError, "at ", row, ", ", column, " of ", x, " is ", value, ", expected ",
                     exact(from.activation, x).value, " (", error, " units)");
    }
}

void check_shape(Check& check, Type type, bool huge, double& worst) {
    const Scene scene = random_scene(check, type, huge);
    const std::vector<const RandomTensor*> tensors{&scene.x, &scene.out, &scene.bias};
    const std::int64_t tasks = bias_activation_tasks(scene.job);
    const TensorCopies first(check, tensors);
    const BiasActivation job = placed(scene, first);
    bias_activation_cpu(job, {0, tasks}, Simd::plain);
    first.expect_intact(check, "plain");
    compare_values(check, scene, job, worst);
    for (const Simd simd : variants()) {
        const TensorCopies other(check, tensors);
        const BiasActivation again = placed(scene, other);
        const std::int64_t cut = check.number(0, tasks);
        bias_activation_cpu(again, {cut, tasks}, simd);
        bias_activation_cpu(again, {0, cut}, simd);
        first.expect_same(check, other, omnisync::kernels::name(simd));
    }
    if (!device_absent().empty()) return;
    const DeviceTensors device(tensors);
    bias_activation_cuda(placed(scene, device), {});
    const TensorCopies back = device.download(check);
    back.expect_intact(check, "CUDA");
    double device_worst = 0;
    compare_values(check, scene, placed(scene, back), device_worst);
}

/// Floats from one end of the range to the other, evenly in their bits, and the special ones.
void check_values(Check& check, Activation activation, double& worst) {
    std::vector<float> x;
    for (std::uint32_t bits = 0; bits < 0x7f800000U; bits += check.options().exhaustive ? 61 : 9973)
        for (const std::uint32_t sign : {0U, 0x80000000U}) x.push_back(bit_cast<float>(bits | sign));
    std::vector<float> y(x.size());
    const auto count = static_cast<std::int64_t>(x.size());
    BiasActivation job{.rows = 1, .columns = count, .x = x.data(), .out = y.data()};
    job.activation = activation;
    bias_activation_cpu(job, {0, bias_activation_tasks(job)});
    for (std::size_t i = 0; i < x.size(); ++i) {
        const auto in = static_cast<double>(x[i]);
        const double error = units(activation, Type::f32, in, static_cast<double>(y[i]));
        worst = std::max(worst, error);
        check.expect(error <= kBiasActivationError, "activation ", static_cast<int>(activation), " of ", in, " is ",
                     y[i], ", expected ", exact(activation, in).value, " (", error, " units)");
    }
    const float special[] = {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()};
    float result[2];
    job = {.rows = 1, .columns = 2, .x = special, .out = result};
    job.activation = activation;
    bias_activation_cpu(job, {0, 1});
    check.expect(std::isinf(result[0]) && result[0] > 0, "infinity gives ", result[0]);
    check.expect(std::isnan(result[1]), "NaN gives ", result[1]);
}

void bench_of(Check& check, Type type, Activation activation, const char* what) {
    constexpr std::int64_t kCount = 1 << 17;
    std::vector<std::uint8_t> x(static_cast<std::size_t>(kCount * size_of(type)));
    std::vector<std::uint8_t> out(x.size());
    for (std::int64_t i = 0; i < kCount; ++i) set_value(x.data(), type, i, 0.0001F * static_cast<float>(i) - 6.0F);
    BiasActivation job{.rows = 1, .columns = kCount, .type = type, .x = x.data(), .out = out.data()};
    job.activation = activation;
    const auto plain = [&]<class T>(T) {
        const T* in = reinterpret_cast<const T*>(x.data());
        for (std::int64_t i = 0; i < kCount; ++i) {
            const float v = to_float(in[i]);
            const float y = activation == Activation::silu ? v / (1 + std::exp(-v))
                            : activation == Activation::gelu_tanh
                                ? v / 2 * (1 + std::tanh(0.79788456F * (v + 0.044715F * v * v * v)))
                                : v * std::erfc(-v * 0.70710678F) / 2;
            reinterpret_cast<T*>(out.data())[i] = from_float<T>(y);
        }
    };
    check.bench(
        std::string(what) + ", 128 Ki " + name(type), 2.0 * static_cast<double>(x.size()),
        [&] { with_type(type, plain); },
        [&] {
            bias_activation_cpu(job, {0, bias_activation_tasks(job)});
        });
    if (!device_absent().empty()) return;
    constexpr std::int64_t kLarge = std::int64_t{1} << 27;
    DeviceMemory memory(static_cast<std::size_t>(kLarge * size_of(type)));
    job.columns = kLarge;
    job.x = job.out = memory.data();
    check.bench_cuda(std::string(what) + " on CUDA, in place, 128 Mi " + name(type),
                     2.0 * static_cast<double>(kLarge * size_of(type)), [&] { bias_activation_cuda(job, {}); });
}

}  // namespace

void check_bias_activation(Check& check) {
    double worst = 0;
    for (const Activation activation : {Activation::silu, Activation::gelu_tanh, Activation::gelu_erf})
        check_values(check, activation, worst);
    for (const Type type : {Type::f32, Type::bf16}) {
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49, worst);
        bench_of(check, type, Activation::silu, "SiLU");
        bench_of(check, type, Activation::gelu_tanh, "GELU (tanh)");
        bench_of(check, type, Activation::gelu_erf, "GELU (erf)");
    }
    check.note("largest error beyond the result's rounding: " + std::to_string(worst) + " of " +
               std::to_string(kBiasActivationError) + " units");
}

}  // namespace kernelcheck
