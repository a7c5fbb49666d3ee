// Norm and rotation of queries and keys against a double-precision loop over single elements; variants, splits and CUDA
// against one another; and how fast.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/qk_norm_rope.h"
#include "tensors.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Scene {
    QkNormRope job;
    RandomTensor q, k, q_gain, k_gain;
    RandomTensor rotor;         // with pairs: cos and sin in turns
    RandomTensor cosine, sine;  // with halves
};

std::vector<const RandomTensor*> tensors_of(const Scene& scene) {
    return {&scene.q, &scene.k, &scene.q_gain, &scene.k_gain, &scene.rotor, &scene.cosine, &scene.sine};
}

Scene random_scene(Check& check, Type type, bool huge) {
    Scene scene;
    QkNormRope& job = scene.job;
    job.type = type;
    job.gain_type = check.chance(0.7) ? type : type == Type::f32 ? Type::bf16 : Type::f32;
    job.items = huge ? 1 : check.size(0, 4);
    job.tokens = huge ? check.size(1, 8) : check.size(0, 40);
    job.heads = huge ? check.size(1, 256) : check.size(0, 9);
    job.norm = static_cast<QkNorm>(check.number(0, 2));
    job.rotation = static_cast<Rotation>(check.number(0, 2));
    job.head_dim = check.size(0, huge ? 1024 : 140);
    if (check.chance(0.3)) job.head_dim = 32 * check.number(1, 4);
    if (job.rotation != Rotation::none) job.head_dim = job.head_dim / 2 * 2;
    const std::vector<std::int64_t> sizes{job.items, job.tokens, job.heads, job.head_dim};
    scene.q = RandomTensor(check, type, sizes, {2.0, 0.0});
    if (check.chance(0.8)) scene.k = RandomTensor(check, type, sizes, {0.5, 1.0});
    const bool for_each_head = check.chance(0.5);
    job.gain_head_stride = for_each_head ? job.head_dim : 0;
    const std::vector<std::int64_t> gains{for_each_head ? job.heads * job.head_dim : job.head_dim};
    if (check.chance(0.5)) scene.q_gain = RandomTensor(check, job.gain_type, gains, {0.5, 1.0});
    if (check.chance(0.5)) scene.k_gain = RandomTensor(check, job.gain_type, gains, {0.5, 1.0});
    const std::vector<std::int64_t> angles{job.tokens, job.head_dim / 2};
    if (job.rotation == Rotation::pairs)
        scene.rotor = RandomTensor(check, Type::f32, {job.tokens, job.head_dim}, {0.7, 0.0});
    if (job.rotation == Rotation::halves) {
        scene.cosine = RandomTensor(check, Type::f32, angles, {0.7, 0.0});
        scene.sine = RandomTensor(check, Type::f32, angles, {0.7, 0.0}, scene.cosine);
    }
    check.scene(name(type), " gain ", name(job.gain_type), ", ", job.items, " x ", job.tokens, " x ", job.heads, " x ",
                job.head_dim, ", norm ", static_cast<int>(job.norm), ", rotation ", static_cast<int>(job.rotation),
                ", k ", scene.k.there(), ", gains ", scene.q_gain.there(), scene.k_gain.there(), " per head ",
                for_each_head);
    return scene;
}

template <class At>
QkNormRope placed(const Scene& scene, const At& at) {
    QkNormRope job = scene.job;
    const auto part = [&](const RandomTensor& x, const RandomTensor& gain) -> HeadRows {
        if (!x.there()) return {};
        return {at(x), x.stride(0), x.stride(1), x.stride(2), gain.there() ? at(gain) : nullptr};
    };
    job.q = part(scene.q, scene.q_gain);
    job.k = part(scene.k, scene.k_gain);
    if (scene.rotor.there()) {
        job.cos = static_cast<const float*>(at(scene.rotor));
        job.sin = job.cos + 1;
        job.rotor_stride = scene.rotor.stride(0);
    }
    if (scene.cosine.there()) {
        job.cos = static_cast<const float*>(at(scene.cosine));
        job.sin = static_cast<const float*>(at(scene.sine));
        job.rotor_stride = scene.cosine.stride(0);
    }
    return job;
}

/// Every element of one token's queries or keys.
void compare_token(Check& check, const QkNormRope& job, const HeadRows& from, const HeadRows& got, std::int64_t item,
                   std::int64_t token, double& worst) {
    const auto at = [&](const HeadRows& part, std::int64_t h, std::int64_t i) {
        return value_at(part.data, job.type,
                        item * part.item_stride + token * part.token_stride + h * part.head_stride + i);
    };
    const auto inverse = [&](std::int64_t first_head, std::int64_t heads) {
        double squares = 0;
        for (std::int64_t h = first_head; h < first_head + heads; ++h)
            for (std::int64_t i = 0; i < job.head_dim; ++i) squares += at(from, h, i) * at(from, h, i);
        return 1 / std::sqrt(squares / static_cast<double>(heads * job.head_dim) + static_cast<double>(job.epsilon));
    };
    const double of_token = job.norm == QkNorm::token ? inverse(0, job.heads) : 1;
    const bool pairs = job.rotation == Rotation::pairs;
    for (std::int64_t h = 0; h < job.heads; ++h) {
        const double by = job.norm == QkNorm::head ? inverse(h, 1) : of_token;
        const auto normal = [&](std::int64_t i) {
            const double gain =
                from.gain == nullptr ? 1 : value_at(from.gain, job.gain_type, h * job.gain_head_stride + i);
            return at(from, h, i) * by * gain;
        };
        const auto expect = [&](std::int64_t i, double expected, double size) {
            const double value = at(got, h, i);
            const double error = std::abs(value - expected) - rounding_of(job.type) * std::abs(expected);
            worst = std::max(worst, error / (0x1p-24 * size + 1e-300));
            check.expect(error <= kQkNormRopeError * 0x1p-24 * size, "token ", token, ", head ", h, ", element ", i,
                         " is ", value, ", expected ", expected);
        };
        if (job.rotation == Rotation::none)
            for (std::int64_t i = 0; i < job.head_dim; ++i) expect(i, normal(i), std::abs(normal(i)));
        for (std::int64_t j = 0; job.rotation != Rotation::none && j < job.head_dim / 2; ++j) {
            const std::int64_t first = pairs ? 2 * j : j;
            const std::int64_t second = pairs ? 2 * j + 1 : j + job.head_dim / 2;
            const double cos = static_cast<double>(job.cos[token * job.rotor_stride + (pairs ? 2 * j : j)]);
            const double sin = static_cast<double>(job.sin[token * job.rotor_stride + (pairs ? 2 * j : j)]);
            const double a = normal(first), b = normal(second);
            const double size = (std::abs(a) + std::abs(b)) * std::max({1.0, std::abs(cos), std::abs(sin)});
            expect(first, a * cos - b * sin, size);
            expect(second, a * sin + b * cos, size);
        }
    }
}

void compare_values(Check& check, const Scene& scene, const QkNormRope& got, double& worst) {
    const QkNormRope from = placed(scene, [](const RandomTensor& tensor) { return tensor.original(); });
    const std::int64_t rows = qk_norm_rope_tasks(from);
    for (std::int64_t i = 0; i < std::min<std::int64_t>(rows, 6); ++i) {
        const std::int64_t row = i == 0 ? rows - 1 : check.number(0, rows - 1);
        compare_token(check, from, from.q, got.q, row / from.tokens, row % from.tokens, worst);
        if (from.k.data != nullptr)
            compare_token(check, from, from.k, got.k, row / from.tokens, row % from.tokens, worst);
    }
}

void check_shape(Check& check, Type type, bool huge, double& worst) {
    const Scene scene = random_scene(check, type, huge);
    const std::int64_t tasks = qk_norm_rope_tasks(scene.job);
    const TensorCopies first(check, tensors_of(scene));
    const QkNormRope job = placed(scene, first);
    qk_norm_rope_cpu(job, {0, tasks}, Simd::plain);
    first.expect_intact(check, "plain");
    compare_values(check, scene, job, worst);
    for (const Simd simd : variants()) {
        const TensorCopies other(check, tensors_of(scene));
        const QkNormRope again = placed(scene, other);
        const std::int64_t cut = check.number(0, tasks);
        qk_norm_rope_cpu(again, {cut, tasks}, simd);
        qk_norm_rope_cpu(again, {0, cut}, simd);
        first.expect_same(check, other, omnisync::kernels::name(simd));
    }
    if (!device_absent().empty()) return;
    const DeviceTensors device(tensors_of(scene));
    qk_norm_rope_cuda(placed(scene, device), {});
    const TensorCopies back = device.download(check);
    back.expect_intact(check, "CUDA");
    double device_worst = 0;
    compare_values(check, scene, placed(scene, back), device_worst);
}

template <class T>
void plain_loop(const QkNormRope& job) {
    for (std::int64_t t = 0; t < job.tokens; ++t) {
        for (const HeadRows* part : {&job.q, &job.k}) {
            T* x = static_cast<T*>(part->data) + t * part->token_stride;
            const std::int64_t width = job.heads * job.head_dim;
            float squares = 0;
            for (std::int64_t i = 0; i < width; ++i) squares += to_float(x[i]) * to_float(x[i]);
            const float by = 1 / std::sqrt(squares / static_cast<float>(width) + job.epsilon);
            const float* turn = job.cos + t * job.rotor_stride;
            for (std::int64_t i = 0; i < width; i += 2) {
                const float a = to_float(x[i]) * by, b = to_float(x[i + 1]) * by;
                const float c = turn[i % job.head_dim], s = turn[i % job.head_dim + 1];
                x[i] = from_float<T>(a * c - b * s);
                x[i + 1] = from_float<T>(b * c + a * s);
            }
        }
    }
}

QkNormRope large_job(Type type, std::int64_t tokens, std::int64_t heads, void* qkv, const void* rotor) {
    const std::int64_t head_dim = 128;
    QkNormRope job{.items = 1, .tokens = tokens, .heads = heads, .head_dim = head_dim, .type = type};
    job.gain_type = type;
    job.rotation = Rotation::pairs;
    job.q = {qkv, 0, 3 * heads * head_dim, head_dim, nullptr};
    job.k = {static_cast<std::uint8_t*>(qkv) + heads * head_dim * size_of(type), 0, 3 * heads * head_dim, head_dim,
             nullptr};
    job.cos = static_cast<const float*>(rotor);
    job.sin = job.cos + 1;
    job.rotor_stride = head_dim;
    return job;
}

void bench_of(Check& check, Type type) {
    constexpr std::int64_t kTokens = 256, kHeads = 6;
    std::vector<std::uint8_t> qkv(static_cast<std::size_t>(3 * kTokens * kHeads * 128 * size_of(type)));
    const std::vector<float> rotor(kTokens * 128, 0.5F);
    const QkNormRope job = large_job(type, kTokens, kHeads, qkv.data(), rotor.data());
    check.bench(
        std::string("qk norm and rotation, 256 x 6 x 128 packed ") + name(type),
        4.0 / 3.0 * static_cast<double>(qkv.size()),
        [&] { type == Type::f32 ? plain_loop<float>(job) : plain_loop<bf16>(job); },
        [&] {
            qk_norm_rope_cpu(job, {0, kTokens});
        });
    if (!device_absent().empty()) return;
    constexpr std::int64_t kMany = std::int64_t{1} << 15, kWide = 24;
    DeviceMemory far(3 * kMany * kWide * 128 * 4), turn(kMany * 128 * 4);
    const QkNormRope large = large_job(type, kMany, kWide, far.data(), turn.data());
    check.bench_cuda(std::string("qk norm and rotation on CUDA, 32768 x 24 x 128 packed ") + name(type),
                     4.0 * static_cast<double>(kMany * kWide * 128 * size_of(type)),
                     [&] { qk_norm_rope_cuda(large, {}); });
}

}  // namespace

void check_qk_norm_rope(Check& check) {
    double worst = 0;
    for (const Type type : {Type::f32, Type::bf16}) {
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49, worst);
        bench_of(check, type);
    }
    check.note("largest error beyond the result's rounding: " + std::to_string(worst) + " of " +
               std::to_string(kQkNormRopeError) + " units");
}

}  // namespace kernelcheck
