// A guided step against a double-precision loop over single elements; variants, splits and CUDA against one another;
// and how fast.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/guided_step.h"
#include "tensors.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Scene {
    GuidedStep job;
    RandomTensor x, out, base, first, last, previous, mouths, tokens;
};

std::vector<const RandomTensor*> tensors_of(const Scene& scene) {
    return {&scene.x,    &scene.out,      &scene.base,   &scene.first,
            &scene.last, &scene.previous, &scene.mouths, &scene.tokens};
}

Scene random_scene(Check& check, Type type, bool huge) {
    Scene scene;
    GuidedStep& job = scene.job;
    job.velocity_type = type;
    job.token_type = check.chance(0.5) ? type : Type::bf16;
    job.channels = check.size(0, huge ? 48 : 9);
    job.frames = check.size(0, huge ? 8 : 5);
    job.rows = check.size(0, huge ? 64 : 20);
    job.columns = check.size(huge ? 100 : 0, huge ? 300 : 40);
    const bool patched = check.chance(0.5);
    if (patched) {
        job.rows = job.rows / 2 * 2;
        job.columns = job.columns / 2 * 2;
    }
    const std::vector<std::int64_t> sizes{job.channels, job.frames, job.rows, job.columns};
    scene.x = RandomTensor(check, Type::f32, sizes, {});
    if (check.chance(0.5)) scene.out = RandomTensor(check, Type::f32, sizes, {});
    scene.base = RandomTensor(check, type, sizes, {});
    if (check.chance(0.5)) scene.first = RandomTensor(check, type, sizes, {});
    if (check.chance(0.8)) scene.last = RandomTensor(check, type, sizes, {});
    if (check.chance(0.4)) scene.previous = RandomTensor(check, Type::f32, sizes, {});
    if (check.chance(0.5)) scene.mouths = RandomTensor(check, Type::f32, {job.frames * 4}, {0.2, 2.0});
    if (patched)
        scene.tokens = RandomTensor(check, job.token_type, {job.channels * job.frames * job.rows * job.columns}, {});
    job.first_scale = static_cast<float>(check.number(0, 30)) / 10;
    job.scale = static_cast<float>(check.number(0, 100)) / 10;
    job.floor = static_cast<float>(check.number(0, 2));
    job.dt = -0.02F;
    if (scene.previous.there() && check.chance(0.7)) job.ahead = 0.5F;
    check.scene(name(type), " tokens ", name(job.token_type), scene.tokens.there(), ", ", job.channels, " x ",
                job.frames, " x ", job.rows, " x ", job.columns, ", first ", scene.first.there(), " last ",
                scene.last.there(), " previous ", scene.previous.there(), " mouths ", scene.mouths.there());
    return scene;
}

template <class At>
GuidedStep placed(const Scene& scene, const At& at) {
    GuidedStep job = scene.job;
    const auto place = [&](auto& latents, const RandomTensor& tensor) {
        if (!tensor.there()) return;
        latents = {static_cast<decltype(latents.data)>(at(tensor)), tensor.stride(0), tensor.stride(1),
                   tensor.stride(2)};
    };
    place(job.x, scene.x);
    place(job.out, scene.out.there() ? scene.out : scene.x);
    place(job.base, scene.base);
    place(job.first, scene.first);
    place(job.last, scene.last);
    place(job.previous, scene.previous);
    if (scene.mouths.there()) job.mouths = static_cast<const Mouth*>(at(scene.mouths));
    if (scene.tokens.there()) job.tokens = at(scene.tokens);
    return job;
}

struct Place {
    std::int64_t channel, frame, row, column;
};

template <class Pointer>
double at(const Latents<Pointer>& latents, Type type, const Place& p) {
    return value_at(
        latents.data, type,
        p.channel * latents.channel_stride + p.frame * latents.frame_stride + p.row * latents.row_stride + p.column);
}

struct Expected {
    double velocity, moved, allowed, allowed_velocity;
};

Expected expected_at(const GuidedStep& job, const Place& p) {
    const double base = at(job.base, job.velocity_type, p);
    double v = base, size = std::abs(base), weight = 0, spread = 1;
    if (job.first.data != nullptr) {
        const double less = at(job.first, job.velocity_type, p), by = static_cast<double>(job.first_scale);
        v = less + by * (base - less);
        size = std::abs(less) + by * (std::abs(base) + std::abs(less));
    }
    if (job.last.data != nullptr) {
        weight = static_cast<double>(job.scale);
        if (job.mouths != nullptr) {
            const Mouth& mouth = job.mouths[p.frame];
            const double down = static_cast<double>(p.row) - static_cast<double>(mouth.row);
            const double across = static_cast<double>(p.column) - static_cast<double>(mouth.column);
            const double exponent = (down * down + across * across) / (2 * std::pow(mouth.sigma, 2));
            const double outside = static_cast<double>(mouth.outside);
            weight = std::max(static_cast<double>(job.floor), weight * (outside + (1 - outside) * std::exp(-exponent)));
            // How much of the weight the exponential makes, times what its argument's rounding does to it.
            spread = 1 + (1 + std::abs(1 - outside)) * (1 + exponent) * std::exp(-exponent) *
                             static_cast<double>(job.scale) / std::max(weight, 1e-30);
            spread += 3 * std::abs(outside) * static_cast<double>(job.scale) / std::max(weight, 1e-30);
        }
        const double last = at(job.last, job.velocity_type, p);
        v += weight * (last - base);
        size += weight * spread * (std::abs(last) + std::abs(base));
    }
    const double dt = std::abs(static_cast<double>(job.dt)), ahead = static_cast<double>(job.ahead);
    const double before = job.previous.data == nullptr ? 0 : at(job.previous, Type::f32, p);
    const double x = at(job.x, Type::f32, p);
    const double moved = x + static_cast<double>(job.dt) * ((1 + ahead) * v - ahead * before);
    const double unit = kGuidedStepError * 0x1p-24;
    return {v, moved, unit * (std::abs(x) + dt * ((1 + ahead) * size + ahead * std::abs(before))), unit * size};
}

void compare_values(Check& check, const Scene& scene, const GuidedStep& got) {
    const GuidedStep from = placed(scene, [](const RandomTensor& tensor) { return tensor.original(); });
    const std::int64_t count = from.channels * from.frames * from.rows * from.columns;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 400); ++i) {
        std::int64_t index = count <= 400 ? i : i == 0 ? count - 1 : check.number(0, count - 1);
        Place p{};
        p.column = index % from.columns;
        index /= from.columns;
        p.row = index % from.rows;
        index /= from.rows;
        p.frame = index % from.frames;
        p.channel = index / from.frames;
        const Expected expected = expected_at(from, p);
        const double moved = at(got.out, Type::f32, p);
        check.expect(std::abs(moved - expected.moved) <= expected.allowed, "at ", p.channel, ", ", p.frame, ", ", p.row,
                     ", ", p.column, " is ", moved, ", expected ", expected.moved, " +- ", expected.allowed);
        if (got.previous.data != nullptr)
            check.expect(std::abs(at(got.previous, Type::f32, p) - expected.velocity) <= expected.allowed_velocity,
                         "velocity is ", at(got.previous, Type::f32, p), ", expected ", expected.velocity);
        if (got.tokens == nullptr) continue;
        const std::int64_t token = (p.frame * (from.rows / 2) + p.row / 2) * (from.columns / 2) + p.column / 2;
        const double value = value_at(got.tokens, from.token_type,
                                      (token * from.channels + p.channel) * 4 + p.row % 2 * 2 + p.column % 2);
        const double rounded = from.token_type == Type::f32
                                   ? moved
                                   : static_cast<double>(to_float(from_float<bf16>(static_cast<float>(moved))));
        check.expect(value == rounded, "token has ", value, ", the latents ", moved);
    }
}

void check_shape(Check& check, Type type, bool huge) {
    const Scene scene = random_scene(check, type, huge);
    const std::int64_t tasks = guided_step_tasks(scene.job);
    const TensorCopies first(check, tensors_of(scene));
    const GuidedStep job = placed(scene, first);
    guided_step_cpu(job, {0, tasks}, Simd::plain);
    first.expect_intact(check, "plain");
    compare_values(check, scene, job);
    for (const Simd simd : variants()) {
        const TensorCopies other(check, tensors_of(scene));
        const GuidedStep again = placed(scene, other);
        const std::int64_t cut = check.number(0, tasks);
        guided_step_cpu(again, {cut, tasks}, simd);
        guided_step_cpu(again, {0, cut}, simd);
        first.expect_same(check, other, omnisync::kernels::name(simd));
    }
    if (!device_absent().empty()) return;
    const DeviceTensors device(tensors_of(scene));
    guided_step_cuda(placed(scene, device), {});
    const TensorCopies back = device.download(check);
    back.expect_intact(check, "CUDA");
    compare_values(check, scene, placed(scene, back));
}

void bench(Check& check) {
    constexpr std::int64_t kChannels = 16, kFrames = 5, kSide = 32, kPlane = kSide * kSide;
    constexpr std::int64_t kCount = kChannels * kFrames * kPlane;
    std::vector<float> x(kCount), base(kCount, 0.1F), last(kCount, 0.2F);
    const std::vector<Mouth> mouths(kFrames, Mouth{16, 16, 6, 0.1F});
    GuidedStep job{.channels = kChannels, .frames = kFrames, .rows = kSide, .columns = kSide};
    job.x = {x.data(), kFrames * kPlane, kPlane, kSide};
    job.out = {x.data(), kFrames * kPlane, kPlane, kSide};
    job.base = {base.data(), kFrames * kPlane, kPlane, kSide};
    job.last = {last.data(), kFrames * kPlane, kPlane, kSide};
    job.scale = 3;
    job.dt = -0.02F;
    job.mouths = mouths.data();
    check.bench(
        "guided step in a field, 16 x 5 x 32 x 32", 16.0 * kCount,
        [&] {
            for (std::int64_t i = 0; i < kCount; ++i) {
                const auto row = static_cast<float>(i / kSide % kSide), column = static_cast<float>(i % kSide);
                const float near = std::exp(-((row - 16) * (row - 16) + (column - 16) * (column - 16)) / 72);
                const float w = 3 * (0.1F + 0.9F * near);
                const auto at = static_cast<std::size_t>(i);
                x[at] += job.dt * (base[at] + w * (last[at] - base[at]));
            }
        },
        [&] {
            guided_step_cpu(job, {0, guided_step_tasks(job)});
        });
}

}  // namespace

void check_guided_step(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49);
    bench(check);
}

}  // namespace kernelcheck
