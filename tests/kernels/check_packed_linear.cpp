// Packed linear layers: random shapes against double precision, with the stated error; any split and any company of
// other rows gives the same bits; nothing written beside the output.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "check.h"
#include "kernels/packed_linear.h"
#include "omnisync/error.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Scene {
    PackedLinear job;
    std::vector<float> weight;
    std::vector<float> packed;

    [[nodiscard]] std::size_t x_bytes() const { return bytes(job.in, job.x_stride); }
    [[nodiscard]] std::size_t out_bytes() const { return bytes(job.columns, job.out_stride); }

private:
    [[nodiscard]] std::size_t bytes(std::int64_t width, std::int64_t stride) const {
        return job.rows == 0 ? 0 : static_cast<std::size_t>(4 * ((job.rows - 1) * stride + width));
    }
};

Scene random_scene(Check& check) {
    Scene scene;
    PackedLinear& job = scene.job;
    job.rows = check.size(0, 200);
    job.in = check.size(0, 300);
    job.columns = check.size(0, 200);
    job.x_stride = job.in + (check.chance(0.5) ? 0 : check.number(1, 9));
    job.out_stride = job.columns + (check.chance(0.5) ? 0 : check.number(1, 9));
    std::normal_distribution<float> values(0, 1);
    scene.weight.resize(static_cast<std::size_t>(job.in * job.columns));
    for (float& value : scene.weight) value = values(check.rng());
    scene.packed.resize(static_cast<std::size_t>(packed_linear_size(job.in, job.columns)));
    pack_linear(scene.weight.data(), job.in, job.columns, scene.packed.data());
    job.weight = scene.packed.data();
    check.scene(job.rows, " rows, ", job.in, " to ", job.columns, ", strides ", job.x_stride, " ", job.out_stride);
    return scene;
}

void compare_values(Check& check, const Scene& scene) {
    const PackedLinear& job = scene.job;
    for (int i = 0; i < 60 && job.rows * job.columns > 0; ++i) {
        const std::int64_t row = i == 0 ? job.rows - 1 : check.number(0, job.rows - 1);
        const std::int64_t column = i == 0 ? job.columns - 1 : check.number(0, job.columns - 1);
        double expected = job.bias == nullptr ? 0 : job.bias[column];
        double absolute = std::abs(expected);
        for (std::int64_t k = 0; k < job.in; ++k) {
            const double product =
                static_cast<double>(job.x[row * job.x_stride + k]) * scene.weight[column * job.in + k];
            expected += product;
            absolute += std::abs(product);
        }
        const double got = job.out[row * job.out_stride + column];
        const double allowed = static_cast<double>(job.in + 2) * 0x1p-24 * absolute;
        check.expect(std::abs(got - expected) <= allowed, "row ", row, " column ", column, " is ", got, ", expected ",
                     expected);
    }
}

void check_gaps(Check& check, const PackedLinear& job, const Guarded& out) {
    bool clean = out.intact();
    for (std::size_t i = 0; i < out.bytes(); ++i)
        clean = clean && (static_cast<std::int64_t>(i / 4) % job.out_stride < job.columns || out.data()[i] == kPoison);
    check.expect(clean, "wrote beside its output");
}

void check_shape(Check& check) {
    Scene scene = random_scene(check);
    PackedLinear& job = scene.job;
    const Guarded x(scene.x_bytes(), check.flush());
    const Guarded bias(static_cast<std::size_t>(4 * job.columns), check.flush());
    std::normal_distribution<float> values(0, 1);
    for (const Guarded* memory : {&x, &bias})
        for (std::size_t i = 0; i < memory->bytes() / 4; ++i)
            reinterpret_cast<float*>(memory->data())[i] = values(check.rng());
    job.x = reinterpret_cast<const float*>(x.data());
    job.bias = check.chance(0.2) ? nullptr : reinterpret_cast<const float*>(bias.data());
    for (const Simd simd : variants()) {
        const Guarded whole(scene.out_bytes(), check.flush());
        job.out = reinterpret_cast<float*>(whole.data());
        packed_linear_cpu(job, {0, packed_linear_tasks(job)}, simd);
        compare_values(check, scene);
        check_gaps(check, job, whole);

        const Guarded parts(scene.out_bytes(), check.flush());
        PackedLinear part = job;
        part.out = reinterpret_cast<float*>(parts.data());
        const std::int64_t cut = check.number(0, packed_linear_tasks(part));
        packed_linear_cpu(part, {cut, packed_linear_tasks(part)}, simd);
        packed_linear_cpu(part, {0, cut}, simd);
        check.same(whole, parts, omnisync::kernels::name(simd));
        if (job.rows == 0) continue;

        part.rows = 1;  // the last row by itself
        part.x += (job.rows - 1) * job.x_stride;
        part.out += (job.rows - 1) * job.out_stride;
        std::fill_n(part.out, job.columns, -1.0F);
        packed_linear_cpu(part, {0, packed_linear_tasks(part)}, simd);
        check.same(whole, parts, "the last row by itself");
    }
}

void bench(Check& check, std::int64_t in, std::int64_t columns) {
    constexpr std::int64_t kRows = 144;
    std::vector<float> weight(in * columns, 0.1F);
    std::vector<float> packed(packed_linear_size(in, columns));
    pack_linear(weight.data(), in, columns, packed.data());
    std::vector<float> x(kRows * in, 0.1F);
    std::vector<float> out(kRows * columns);
    const PackedLinear job{kRows, in, columns, x.data(), in, packed.data(), nullptr, out.data(), columns};
    const auto plain = [&] {
        for (std::int64_t r = 0; r < kRows; ++r)
            for (std::int64_t c = 0; c < columns; ++c) {
                float sum = 0;
                for (std::int64_t i = 0; i < in; ++i) sum += x[r * in + i] * weight[c * in + i];
                out[r * columns + c] = sum;
            }
    };
    const auto size = static_cast<double>(in * columns);
    check.bench(omnisync::concat("linear, 144 rows, ", in, " to ", columns, " f32"),
                {4 * (size + kRows * static_cast<double>(in + columns)), 2 * kRows * size}, plain, [&] {
                    packed_linear_cpu(job, {0, packed_linear_tasks(job)});
                });
}

}  // namespace

void check_packed_linear(Check& check) {
    for (int i = 0; i < check.options().shapes; ++i) check_shape(check);
    if (!check.options().bench) return;
    bench(check, 192, 576);
    bench(check, 768, 192);
}

}  // namespace kernelcheck
