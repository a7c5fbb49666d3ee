// Gated residual, norm and modulation against a double-precision loop over single elements; variants, splits and CUDA
// against one another; and how fast.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/gated_norm.h"
#include "tensors.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

/// A job and the memory that it works on: x, branch, out, then the parameters.
struct Scene {
    GatedNorm job;
    bool out_is_x = false;
    bool out_is_branch = false;
    RandomTensor x, branch, out, gain, bias, gate, scale, shift;
};

/// Rows of modulation: per token, per item, one for all, or two for tokens at rest and others.
RandomTensor random_rows(Check& check, const GatedNorm& job) {
    if (job.at_rest >= 0) return RandomTensor(check, job.parameter_type, {1, 2, job.width}, {});
    const std::vector<std::int64_t> sizes{check.chance(0.5) ? job.items : 1, check.chance(0.5) ? job.tokens : 1,
                                          job.width};
    return RandomTensor(check, job.parameter_type, sizes, {});
}

TokenRows<const void*> rows(const RandomTensor& tensor, const void* data) {
    return {data, tensor.size(0) > 1 ? tensor.stride(0) : 0, tensor.size(1) > 1 ? tensor.stride(1) : 0};
}

Scene random_scene(Check& check, Type type, bool huge) {
    Scene scene;
    GatedNorm& job = scene.job;
    job.type = type;
    job.parameter_type = check.chance(0.7) ? type : type == Type::f32 ? Type::bf16 : Type::f32;
    job.items = huge ? 1 : check.size(0, 4);
    job.tokens = huge ? check.size(1, 4) : check.size(0, 40);
    job.width = huge ? check.size(1 << 17, 1 << 19) : check.size(0, check.chance(0.2) ? 20'000 : 400);
    job.norm = static_cast<Norm>(check.number(0, 2));
    job.epsilon = check.chance(0.5) ? 1e-6F : 1e-5F;
    if (check.chance(0.3)) job.at_rest = check.number(0, job.tokens + 1);
    const std::vector<std::int64_t> sizes{job.items, job.tokens, job.width};
    const double offset = check.chance(0.3) ? static_cast<double>(check.number(-20, 20)) : 0;
    scene.x = RandomTensor(check, type, sizes, {1.0, offset});
    if (check.chance(0.7)) scene.branch = RandomTensor(check, type, sizes, {});
    scene.out_is_x = check.chance(0.1);
    scene.out_is_branch = !scene.out_is_x && scene.branch.there() && check.chance(0.1);
    if (!scene.out_is_x && !scene.out_is_branch && check.chance(0.9)) scene.out = RandomTensor(check, type, sizes, {});
    const std::vector<std::int64_t> one{job.width};
    if (check.chance(0.3)) scene.gain = RandomTensor(check, job.parameter_type, one, {1.0, 1.0});
    if (check.chance(0.3)) scene.bias = RandomTensor(check, job.parameter_type, one, {});
    if (check.chance(0.6)) scene.gate = random_rows(check, job);
    if (check.chance(0.6)) scene.scale = random_rows(check, job);
    if (check.chance(0.6)) scene.shift = random_rows(check, job);
    check.scene(name(type), " parameters ", name(job.parameter_type), ", ", job.items, " x ", job.tokens, " x ",
                job.width, ", norm ", static_cast<int>(job.norm), ", at rest ", job.at_rest, ", branch ",
                scene.branch.there(), " out ", scene.out.there(), scene.out_is_x, scene.out_is_branch, ", affine ",
                scene.gain.there(), scene.bias.there(), ", rows ", scene.gate.there(), scene.scale.there(),
                scene.shift.there());
    return scene;
}

/// The job with its memory at `at(tensor)`.
template <class At>
GatedNorm placed(const Scene& scene, const At& at) {
    GatedNorm job = scene.job;
    const auto written = [&](const RandomTensor& tensor) -> TokenRows<void*> {
        return {at(tensor), tensor.stride(0), tensor.stride(1)};
    };
    job.x = written(scene.x);
    if (scene.branch.there()) job.branch = {at(scene.branch), scene.branch.stride(0), scene.branch.stride(1)};
    if (scene.out.there()) job.out = written(scene.out);
    if (scene.out_is_x) job.out = job.x;
    if (scene.out_is_branch) job.out = written(scene.branch);
    if (scene.gain.there()) job.gain = at(scene.gain);
    if (scene.bias.there()) job.bias = at(scene.bias);
    if (scene.gate.there()) job.gate = rows(scene.gate, at(scene.gate));
    if (scene.scale.there()) job.scale = rows(scene.scale, at(scene.scale));
    if (scene.shift.there()) job.shift = rows(scene.shift, at(scene.shift));
    return job;
}

// ---- the slow way -------------------------------------------------------------------------------------------------

struct Reference {
    const Scene& scene;
    const GatedNorm job = placed(scene, [](const RandomTensor& tensor) { return tensor.original(); });
    std::int64_t item, token;

    [[nodiscard]] double parameter(const TokenRows<const void*>& rows, std::int64_t column, double absent) const {
        const std::int64_t row = job.at_rest < 0 ? token : token < job.at_rest ? 0 : 1;
        if (rows.data == nullptr) return absent;
        return value_at(rows.data, job.parameter_type, item * rows.item_stride + row * rows.token_stride + column);
    }
    [[nodiscard]] double affine(const void* row, std::int64_t column, double absent) const {
        return row == nullptr ? absent : value_at(row, job.parameter_type, column);
    }
    [[nodiscard]] double before(std::int64_t column) const {
        return value_at(job.x.data, job.type, item * job.x.item_stride + token * job.x.token_stride + column);
    }
    [[nodiscard]] double more(std::int64_t column) const {
        if (job.branch.data == nullptr) return 0;
        return parameter(job.gate, column, 1) *
               value_at(job.branch.data, job.type,
                        item * job.branch.item_stride + token * job.branch.token_stride + column);
    }
};

/// One token: `got_x` and `got_out` are what the kernel wrote. What is normalised is x as it was stored; where out took
/// its place, as it should have been stored.
void compare_token(Check& check, const Reference& exact, const GatedNorm& got, double& worst) {
    const GatedNorm& job = exact.job;
    const double eps = rounding_of(job.type);
    const auto at = [&](const auto& rows, std::int64_t column) {
        return value_at(rows.data, job.type, exact.item * rows.item_stride + exact.token * rows.token_stride + column);
    };
    const bool x_is_there = !exact.scene.out_is_x;
    std::vector<double> x(static_cast<std::size_t>(job.width));
    double mean = 0, size = 0, magnitude = 0;  // magnitude: what the rounding of the mean goes by
    for (std::int64_t i = 0; i < job.width; ++i) {
        const double sum = exact.before(i) + exact.more(i);
        const double stored = x_is_there ? at(got.x, i) : sum;
        if (x_is_there) {
            const double allowed = eps * std::abs(sum) + 0x1p-24 * (std::abs(sum) + 2 * std::abs(exact.more(i)));
            check.expect(job.branch.data == nullptr ? stored == exact.before(i) : std::abs(stored - sum) <= allowed,
                         "x at ", exact.token, ", ", i, " is ", stored, ", expected ", sum);
        }
        x[static_cast<std::size_t>(i)] = stored;
        mean += stored / static_cast<double>(job.width);
        magnitude += std::abs(stored) / static_cast<double>(job.width);
        size = std::max(size, std::abs(stored));
    }
    if (job.out.data == nullptr) return;
    if (job.norm != Norm::layer) mean = magnitude = 0;
    double squares = 0;
    for (const double each : x) squares += (each - mean) * (each - mean) / static_cast<double>(job.width);
    const double inverse = job.norm == Norm::none ? 1 : 1 / std::sqrt(squares + static_cast<double>(job.epsilon));
    // Where x was overwritten, its rounding is not known: it counts as an error of the input.
    const double input = x_is_there ? 0 : eps * size + 0x1p-23 * size;
    for (std::int64_t i = 0; i < job.width; ++i) {
        const double normal = (x[static_cast<std::size_t>(i)] - mean) * inverse;
        const double gain = exact.affine(job.gain, i, 1), bias = exact.affine(job.bias, i, 0);
        const double scale = exact.parameter(job.scale, i, 0), shift = exact.parameter(job.shift, i, 0);
        const double expected = (normal * gain + bias) * (1 + scale) + shift;
        const double terms = (std::abs(normal) * std::abs(gain) + std::abs(bias)) * (1 + std::abs(scale)) +
                             std::abs(shift) + magnitude * inverse * std::abs(gain) * (1 + std::abs(scale));
        const double of_input = 3 * input * inverse * std::abs(gain) * (1 + std::abs(scale)) * (1 + std::abs(normal));
        const double error = std::abs(at(got.out, i) - expected) - eps * std::abs(expected) - of_input;
        worst = std::max(worst, error / (0x1p-24 * terms + 1e-300));
        check.expect(error <= kGatedNormError * 0x1p-24 * terms, "out at ", exact.token, ", ", i, " is ",
                     at(got.out, i), ", expected ", expected, " (", error / (0x1p-24 * terms), " units too far)");
    }
}

void compare_values(Check& check, const Scene& scene, const GatedNorm& got, double& worst) {
    const std::int64_t rows = gated_norm_tasks(scene.job);
    const std::int64_t looked_at = scene.job.width > 1000 ? 2 : 8;
    for (std::int64_t i = 0; i < std::min(rows, looked_at); ++i) {
        const std::int64_t row = i == 0 ? rows - 1 : check.number(0, rows - 1);
        Reference exact{.scene = scene, .item = row / scene.job.tokens, .token = row % scene.job.tokens};
        compare_token(check, exact, got, worst);
    }
}

// ---- comparisons --------------------------------------------------------------------------------------------------

std::vector<const RandomTensor*> tensors_of(const Scene& scene) {
    return {&scene.x, &scene.branch, &scene.out, &scene.gain, &scene.bias, &scene.gate, &scene.scale, &scene.shift};
}

void check_shape(Check& check, Type type, bool huge, double& worst) {
    const Scene scene = random_scene(check, type, huge);
    const std::int64_t tasks = gated_norm_tasks(scene.job);
    TensorCopies first(check, tensors_of(scene));
    const GatedNorm job = placed(scene, first);
    gated_norm_cpu(job, {0, tasks}, Simd::plain);
    first.expect_intact(check, "plain");
    if (scene.job.width > 0) compare_values(check, scene, job, worst);
    for (const Simd simd : variants()) {
        TensorCopies other(check, tensors_of(scene));
        const GatedNorm again = placed(scene, other);
        const std::int64_t cut = check.number(0, tasks);
        gated_norm_cpu(again, {cut, tasks}, simd);
        gated_norm_cpu(again, {0, cut}, simd);
        first.expect_same(check, other, omnisync::kernels::name(simd));
    }
    if (!device_absent().empty()) return;
    DeviceTensors device(tensors_of(scene));
    gated_norm_cuda(placed(scene, device), {});
    const TensorCopies back = device.download(check);
    back.expect_intact(check, "CUDA");
    double device_worst = 0;
    if (scene.job.width > 0) compare_values(check, scene, placed(scene, back), device_worst);
}

void bench_of(Check& check, Type type) {
    constexpr std::int64_t kTokens = 256, kWidth = 768;
    const auto bytes = static_cast<std::size_t>(kTokens * kWidth * size_of(type));
    std::vector<std::uint8_t> x(bytes), branch(bytes), out(bytes), rows(3 * kWidth * 4);
    GatedNorm job;
    job.items = 1;
    job.tokens = kTokens;
    job.width = kWidth;
    job.type = job.parameter_type = type;
    job.x = {x.data(), 0, kWidth};
    job.branch = {branch.data(), 0, kWidth};
    job.out = {out.data(), 0, kWidth};
    job.gate = {rows.data(), 0, 0};
    job.scale = {rows.data() + kWidth * 4, 0, 0};
    job.shift = {rows.data() + 2 * kWidth * 4, 0, 0};
    const auto plain = [&]<class T>(T) {
        for (std::int64_t t = 0; t < kTokens; ++t) {
            T* a = reinterpret_cast<T*>(x.data()) + t * kWidth;
            const T* b = reinterpret_cast<const T*>(branch.data()) + t * kWidth;
            T* o = reinterpret_cast<T*>(out.data()) + t * kWidth;
            const T* r = reinterpret_cast<const T*>(rows.data());
            float sum = 0, squares = 0;
            for (std::int64_t i = 0; i < kWidth; ++i) {
                a[i] = from_float<T>(to_float(a[i]) + to_float(r[i]) * to_float(b[i]));
                sum += to_float(a[i]);
            }
            for (std::int64_t i = 0; i < kWidth; ++i)
                squares += (to_float(a[i]) - sum / kWidth) * (to_float(a[i]) - sum / kWidth);
            const float inverse = 1 / std::sqrt(squares / kWidth + job.epsilon);
            for (std::int64_t i = 0; i < kWidth; ++i)
                o[i] = from_float<T>((to_float(a[i]) - sum / kWidth) * inverse * (1 + to_float(r[i])) + to_float(r[i]));
        }
    };
    check.bench(
        std::string("gated norm, 256 x 768 ") + name(type), 4.0 * static_cast<double>(bytes),
        [&] { with_type(type, plain); },
        [&] {
            gated_norm_cpu(job, {0, kTokens});
        });
    if (!device_absent().empty()) return;
    constexpr std::int64_t kMany = std::int64_t{1} << 15, kWide = 3072;
    DeviceMemory far_x(kMany * kWide * 4), far_branch(kMany * kWide * 4), far_out(kMany * kWide * 4),
        few(3 * kWide * 4);
    job.tokens = kMany;
    job.width = kWide;
    job.x = {far_x.data(), 0, kWide};
    job.branch = {far_branch.data(), 0, kWide};
    job.out = {far_out.data(), 0, kWide};
    job.gate = job.scale = job.shift = {few.data(), 0, 0};
    check.bench_cuda(std::string("gated norm on CUDA, 32768 x 3072 ") + name(type),
                     4.0 * static_cast<double>(kMany * kWide * size_of(type)), [&] { gated_norm_cuda(job, {}); });
}

}  // namespace

void check_gated_norm(Check& check) {
    double worst = 0;
    for (const Type type : {Type::f32, Type::bf16}) {
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49, worst);
        bench_of(check, type);
    }
    check.note("largest error beyond the result's rounding: " + std::to_string(worst) + " of " +
               std::to_string(kGatedNormError) + " units");
}

}  // namespace kernelcheck
