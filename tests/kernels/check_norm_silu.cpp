// Norms with SiLU against their definition in double precision.
#include <algorithm>
#include <cmath>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/norm_silu.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Scene {
    NormSilu job;
    Guarded x, residual, gamma, beta;
    double deviation = 1;

    [[nodiscard]] std::int64_t count() const { return job.batch * job.channels * job.pixels; }
    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(count() * size_of(job.type)); }
    [[nodiscard]] std::int64_t element(std::int64_t b, std::int64_t c, std::int64_t p) const {
        return job.order == ChannelOrder::first ? (b * job.channels + c) * job.pixels + p
                                                : (b * job.pixels + p) * job.channels + c;
    }
    /// What is normed: the sum, rounded as the type rounds it.
    [[nodiscard]] double value(std::int64_t at) const {
        const double v = value_at(x.data(), job.type, at);
        if (job.residual == nullptr) return v;
        const auto sum = static_cast<float>(v + value_at(residual.data(), job.type, at));
        return job.type == Type::f32 ? sum : to_float(from_float<bf16>(sum));
    }
};

Scene random_scene(Check& check, Type type, bool huge) {
    NormSilu job;
    job.type = type;
    job.weight_type = check.chance(0.7) ? type : Type::f32;
    job.order = check.chance(0.5) ? ChannelOrder::first : ChannelOrder::last;
    job.batch = check.size(0, huge ? 2 : 4);
    job.groups = check.chance(0.5) ? 0 : check.size(1, 32);
    job.channels = job.groups > 0 ? job.groups * check.size(1, 20) : check.size(1, huge ? 1500 : 700);
    job.pixels = huge ? check.number(1000, 3000) : check.size(0, 600);
    job.eps = check.chance(0.5) ? 1e-6F : 1e-3F;
    job.silu = check.chance(0.7);
    const auto count = static_cast<std::size_t>(job.batch * job.channels * job.pixels);
    const auto bytes = count * static_cast<std::size_t>(size_of(type));
    const auto weights = static_cast<std::size_t>(job.channels * size_of(job.weight_type));
    Scene scene{job, Guarded(bytes, check.flush()), Guarded(bytes, check.flush()), Guarded(weights, check.flush()),
                Guarded(weights, check.flush())};
    const double sizes[] = {1, 1, 30, 1e-3};
    scene.deviation = sizes[check.number(0, 3)];
    fill(check, scene.x, type, check.chance(0.5) ? 0 : 3 * scene.deviation, scene.deviation);
    fill(check, scene.residual, type, 0, scene.deviation);
    if (check.chance(0.05)) std::fill_n(scene.x.data(), bytes, std::uint8_t{0});
    fill(check, scene.gamma, job.weight_type, 1, 0.3);
    fill(check, scene.beta, job.weight_type, 0, 0.5);
    scene.job.x = scene.x.data();
    scene.job.gamma = scene.gamma.data();
    if (job.groups > 0 && check.chance(0.7)) scene.job.beta = scene.beta.data();
    if (check.chance(0.3)) scene.job.residual = scene.residual.data();
    check.scene(name(type), job.groups > 0 ? " groups " : " rms ", job.groups,
                job.order == ChannelOrder::first ? " channels first, " : " channels last, ", job.batch, " x ",
                job.channels, " x ", job.pixels, scene.job.residual != nullptr ? ", residual" : "");
    return scene;
}

double silu(const Scene& scene, double n) {
    return scene.job.silu ? n / (1 + std::exp(-n)) : n;
}

/// One value against the definition; `middle` and `spread` of its pixel or group.
void compare(Check& check, const Scene& scene, const Guarded& out, std::int64_t at, std::int64_t channel, double middle,
             double spread) {
    const NormSilu& job = scene.job;
    const double gamma = value_at(job.gamma, job.weight_type, channel);
    const double beta = job.beta == nullptr ? 0 : value_at(job.beta, job.weight_type, channel);
    const double n = (scene.value(at) - middle) / spread * gamma + beta, expected = silu(scene, n);
    const double size = std::max({1.0, std::abs(n), std::abs(beta), std::abs(middle / spread * gamma)});
    const double error = kNormSiluError * size + rounding_of(job.type) * std::abs(expected);
    const double got = value_at(out.data(), job.type, at);
    check.expect(std::abs(got - expected) <= error, "element ", at, " is ", got, ", expected ", expected, " within ",
                 error);
}

void compare_pixel(Check& check, const Scene& scene, const Guarded& out, std::int64_t b, std::int64_t p) {
    double squares = 0;
    for (std::int64_t c = 0; c < scene.job.channels; ++c) squares += std::pow(scene.value(scene.element(b, c, p)), 2);
    const double spread = std::max(std::sqrt(squares), 1e-12) / std::sqrt(static_cast<double>(scene.job.channels));
    for (std::int64_t i = 0; i < std::min<std::int64_t>(scene.job.channels, 20); ++i) {
        const std::int64_t c = scene.job.channels <= 20 ? i : check.number(0, scene.job.channels - 1);
        compare(check, scene, out, scene.element(b, c, p), c, 0, spread);
    }
}

void compare_group(Check& check, const Scene& scene, const Guarded& out, std::int64_t b, std::int64_t group) {
    const std::int64_t width = scene.job.channels / scene.job.groups;
    const auto each = [&](const auto& body) {
        for (std::int64_t c = group * width; c < (group + 1) * width; ++c)
            for (std::int64_t p = 0; p < scene.job.pixels; ++p) body(scene.value(scene.element(b, c, p)));
    };
    const auto count = static_cast<double>(width * scene.job.pixels);
    double sum = 0, squares = 0;
    each([&](double v) { sum += v; });
    each([&](double v) { squares += (v - sum / count) * (v - sum / count); });
    const double spread = std::sqrt(squares / count + static_cast<double>(scene.job.eps));
    for (int i = 0; i < 40; ++i) {
        const std::int64_t c = check.number(group * width, (group + 1) * width - 1),
                           p = check.number(0, scene.job.pixels - 1);
        compare(check, scene, out, scene.element(b, c, p), c, sum / count, spread);
    }
}

void compare_values(Check& check, const Scene& scene, const Guarded& out) {
    check.expect(out.intact(), "wrote outside its output");
    if (scene.count() == 0) return;
    for (int i = 0; i < 8; ++i) {
        const std::int64_t b = check.number(0, scene.job.batch - 1);
        if (scene.job.groups > 0)
            compare_group(check, scene, out, b, check.number(0, scene.job.groups - 1));
        else
            compare_pixel(check, scene, out, b, check.number(0, scene.job.pixels - 1));
    }
}

void compare_sums(Check& check, const Scene& scene, const Guarded& sum) {
    check.expect(sum.intact(), "wrote outside its sum");
    for (std::int64_t i = 0; i < std::min<std::int64_t>(scene.count(), 50); ++i) {
        const std::int64_t at = check.number(0, scene.count() - 1);
        check.expect(value_at(sum.data(), scene.job.type, at) == scene.value(at), "sum at ", at);
    }
}

void compare_with_cuda(Check& check, const Scene& scene) {
    if (!device_absent().empty()) return;
    NormSilu job = scene.job;
    DeviceMemory x(scene.bytes()), residual(scene.bytes()), gamma(scene.gamma.bytes()), beta(scene.beta.bytes()),
        out(scene.bytes());
    x.upload(scene.x.data(), scene.bytes());
    residual.upload(scene.residual.data(), scene.bytes());
    gamma.upload(scene.gamma.data(), scene.gamma.bytes());
    beta.upload(scene.beta.data(), scene.beta.bytes());
    job.x = x.data();
    job.out = out.data();
    job.gamma = gamma.data();
    if (job.residual != nullptr) job.residual = residual.data();
    if (job.beta != nullptr) job.beta = beta.data();
    norm_silu_cuda(job, {});
    const Guarded got(scene.bytes(), Flush::end);
    out.download(got.data(), got.bytes());
    compare_values(check, scene, got);
}

void check_shape(Check& check, Type type, bool huge) {
    const Scene scene = random_scene(check, type, huge);
    const std::int64_t tasks = norm_silu_tasks(scene.job);
    for (const Simd simd : variants()) {
        NormSilu job = scene.job;
        const Guarded out(scene.bytes(), check.flush()), split(scene.bytes(), check.flush()),
            sum(scene.bytes(), check.flush());
        job.out = out.data();
        if (job.residual != nullptr && check.chance(0.7)) job.sum = sum.data();
        norm_silu_cpu(job, {0, tasks}, simd);
        compare_values(check, scene, out);
        if (job.sum != nullptr) compare_sums(check, scene, sum);
        if (check.chance(0.3)) {  // in place
            std::copy_n(scene.x.data(), scene.bytes(), split.data());
            job.x = split.data();
        }
        job.out = split.data();
        const std::int64_t cut = check.number(0, tasks);
        norm_silu_cpu(job, {cut, tasks}, simd);
        norm_silu_cpu(job, {0, cut}, simd);
        check.same(out, split, omnisync::kernels::name(simd));
    }
    compare_with_cuda(check, scene);
}

}  // namespace

void check_norm_silu(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49);
}

}  // namespace kernelcheck
