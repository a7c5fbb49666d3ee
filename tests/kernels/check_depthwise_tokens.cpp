// Depthwise convolution on tokens: random grids against double precision, with the stated error; splits against the
// whole bit by bit; CUDA against double precision; nothing written beside the output.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/depthwise_tokens.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

DepthwiseTokens random_job(Check& check, Type type) {
    DepthwiseTokens job;
    job.type = type;
    job.items = check.size(0, 3);
    job.rows = check.size(0, 13);
    job.columns = check.size(0, 13);
    job.channels = check.size(0, 70);
    check.scene(name(type), " ", job.items, " x ", job.rows, " x ", job.columns, ", ", job.channels, " channels");
    return job;
}

void compare_values(Check& check, const DepthwiseTokens& job, const void* out) {
    const std::int64_t count = job.items * job.rows * job.columns * job.channels;
    for (int i = 0; i < 100 && count > 0; ++i) {
        const std::int64_t index = i == 0 ? 0 : i == 1 ? count - 1 : check.number(0, count - 1);
        const std::int64_t channel = index % job.channels;
        const std::int64_t column = index / job.channels % job.columns;
        const std::int64_t row = index / (job.channels * job.columns) % job.rows;
        double v = value_at(job.x, job.type, index);
        double absolute = std::abs(v);
        for (std::int64_t k = 0; k < 9; ++k) {
            const std::int64_t dy = k / 3 - 1;
            const std::int64_t dx = k % 3 - 1;
            if (row + dy < 0 || row + dy >= job.rows || column + dx < 0 || column + dx >= job.columns) continue;
            const double product = job.weight[k * job.channels + channel] *
                                   value_at(job.x, job.type, index + (dy * job.columns + dx) * job.channels);
            v += product;
            absolute += std::abs(product);
        }
        const double u = std::sqrt(2 / std::numbers::pi) * (v + 0.044715 * v * v * v);
        const double expected = v / (1 + std::exp(-2 * u));
        const double size = std::abs(v);
        double allowed = 12 * 0x1p-24 * absolute * (1 + size) + 1e-37;
        allowed += 8 * 0x1p-24 * std::abs(expected) * (1 + 2 * size + size * size * size / 8);
        allowed += rounding_of(job.type) * std::abs(expected);
        const double got = value_at(out, job.type, index);
        check.expect(std::abs(got - expected) <= allowed, "element ", index, " is ", got, ", expected ", expected);
    }
}

void compare_cuda(Check& check, const DepthwiseTokens& job, std::size_t bytes) {
    if (!device_absent().empty()) return;
    constexpr std::size_t kMargin = 256;
    std::vector<std::uint8_t> host(bytes + 2 * kMargin, kPoison);
    DeviceMemory x(bytes);
    DeviceMemory weight(static_cast<std::size_t>(36 * job.channels));
    DeviceMemory out(host.size());
    x.upload(job.x, bytes);
    weight.upload(job.weight, static_cast<std::size_t>(36 * job.channels));
    out.upload(host.data(), host.size());
    DepthwiseTokens there = job;
    there.x = x.data();
    there.weight = static_cast<const float*>(weight.data());
    there.out = static_cast<std::uint8_t*>(out.data()) + kMargin;
    depthwise_tokens_cuda(there, {});
    out.download(host.data(), host.size());
    compare_values(check, job, host.data() + kMargin);
    const auto poison = [](std::uint8_t byte) { return byte == kPoison; };
    check.expect(std::all_of(host.begin(), host.begin() + kMargin, poison) &&
                     std::all_of(host.end() - kMargin, host.end(), poison),
                 "CUDA wrote outside its output");
}

void check_shape(Check& check, Type type) {
    DepthwiseTokens job = random_job(check, type);
    const auto bytes = static_cast<std::size_t>(job.items * job.rows * job.columns * job.channels * size_of(job.type));
    const Guarded x(bytes, check.flush());
    const Guarded weight(static_cast<std::size_t>(36 * job.channels), check.flush());
    fill(check, x, type, 0, 1.5, 0.01);
    fill(check, weight, Type::f32, 0, 0.5, 0.01);
    job.x = x.data();
    job.weight = reinterpret_cast<const float*>(weight.data());
    const std::int64_t tasks = depthwise_tokens_tasks(job);
    for (const Simd simd : variants()) {
        const Guarded whole(bytes, check.flush());
        job.out = whole.data();
        depthwise_tokens_cpu(job, {0, tasks}, simd);
        check.expect(whole.intact(), "wrote outside its output");
        compare_values(check, job, whole.data());
        const Guarded parts(bytes, check.flush());
        job.out = parts.data();
        const std::int64_t cut = check.number(0, tasks);
        depthwise_tokens_cpu(job, {cut, tasks}, simd);
        depthwise_tokens_cpu(job, {0, cut}, simd);
        check.same(whole, parts, omnisync::kernels::name(simd));
    }
    compare_cuda(check, job, bytes);
}

void run_plainly(const DepthwiseTokens& job) {
    const auto* x = static_cast<const float*>(job.x);
    auto* out = static_cast<float*>(job.out);
    for (std::int64_t row = 0; row < job.rows; ++row)
        for (std::int64_t column = 0; column < job.columns; ++column)
            for (std::int64_t c = 0; c < job.channels; ++c) {
                const std::int64_t index = (row * job.columns + column) * job.channels + c;
                float v = x[index];
                for (std::int64_t dy = std::max<std::int64_t>(row - 1, 0); dy <= std::min(row + 1, job.rows - 1); ++dy)
                    for (std::int64_t dx = std::max<std::int64_t>(column - 1, 0);
                         dx <= std::min(column + 1, job.columns - 1); ++dx)
                        v += job.weight[((dy - row + 1) * 3 + dx - column + 1) * job.channels + c] *
                             x[(dy * job.columns + dx) * job.channels + c];
                out[index] = v / (1 + std::exp(-1.5957691F * (v + 0.044715F * v * v * v)));
            }
}

void bench(Check& check) {
    constexpr std::int64_t kSide = 12, kChannels = 768, kCount = kSide * kSide * kChannels;
    std::vector<float> x(kCount, 0.5F);
    std::vector<float> weight(9 * kChannels, 0.1F);
    std::vector<float> out(kCount);
    const DepthwiseTokens job{1, kSide, kSide, kChannels, Type::f32, x.data(), weight.data(), out.data()};
    check.bench(
        "depthwise 3x3 + GELU, 144 tokens of 768 f32", {8.0 * kCount, 38.0 * kCount}, [&] { run_plainly(job); },
        [&] {
            depthwise_tokens_cpu(job, {0, kSide});
        });
    if (!device_absent().empty()) return;
    constexpr std::int64_t kItems = 1024, kLarge = kItems * kCount;  // 216 Mi values of bfloat16
    DeviceMemory device_x(2 * kLarge);
    DeviceMemory device_weight(weight.size() * 4);
    DeviceMemory device_out(2 * kLarge);
    device_weight.upload(weight.data(), weight.size() * 4);
    const DepthwiseTokens large{kItems,
                                kSide,
                                kSide,
                                kChannels,
                                Type::bf16,
                                device_x.data(),
                                static_cast<const float*>(device_weight.data()),
                                device_out.data()};
    check.bench_cuda("depthwise 3x3 + GELU on CUDA, 108 Mi bf16", {4.0 * kLarge, 38.0 * kLarge},
                     [&] { depthwise_tokens_cuda(large, {}); });
}

}  // namespace

void check_depthwise_tokens(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type);
    if (check.options().bench) bench(check);
}

}  // namespace kernelcheck
