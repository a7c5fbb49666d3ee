// Linear layers in 8 bits: random shapes against double precision, with the stated error; both codes and any split give
// the same bits; nothing written beside the outputs.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "check.h"
#include "kernels/int8_linear.h"
#include "omnisync/error.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Weights {
    std::vector<float> plain;
    std::vector<std::int8_t> packed;
    std::vector<float> scale;
    std::vector<std::int32_t> offset;

    Weights(Check& check, std::int64_t in, std::int64_t out)
        : plain(static_cast<std::size_t>(in * out)),
          packed(static_cast<std::size_t>(int8_linear_size(in, out))),
          scale(static_cast<std::size_t>(out)),
          offset(static_cast<std::size_t>(out)) {
        std::normal_distribution<float> values(0, 0.1F);
        for (float& value : plain) value = values(check.rng());
        if (out > 0 && check.chance(0.2)) std::fill_n(plain.begin(), in, 0.0F);  // an output without weights
        pack_int8_linear(plain.data(), in, out, packed.data(), scale.data(), offset.data());
    }
};

void compare_values(Check& check, const Int8Linear& job, const Weights& weights) {
    for (int i = 0; i < 60 && job.rows * job.columns > 0; ++i) {
        const std::int64_t row = i == 0 ? job.rows - 1 : check.number(0, job.rows - 1);
        const std::int64_t column = i == 0 ? job.columns - 1 : check.number(0, job.columns - 1);
        const float* const x = job.x + row * job.in;
        const float* const w = weights.plain.data() + column * job.in;
        double expected = job.bias == nullptr ? 0 : job.bias[column];
        double absolute = std::abs(expected);
        double largest_x = 0;
        double largest_w = 0;
        double sum_x = 0;
        double sum_w = 0;
        for (std::int64_t k = 0; k < job.in; ++k) {
            expected += static_cast<double>(x[k]) * w[k];
            absolute += std::abs(static_cast<double>(x[k]) * w[k]);
            sum_x += std::abs(x[k]);
            sum_w += std::abs(w[k]);
            largest_x = std::max<double>(largest_x, std::abs(x[k]));
            largest_w = std::max<double>(largest_w, std::abs(w[k]));
        }
        const double rounding = sum_x * largest_w / 254 + sum_w * largest_x / 254 +
                                static_cast<double>(job.in) * largest_x * largest_w / 64516;
        const double allowed = rounding * (1 + 1e-5) + 4 * 0x1p-24 * (absolute + rounding);
        const double got = job.out[row * job.columns + column];
        check.expect(std::abs(got - expected) <= allowed, "row ", row, " column ", column, " is ", got, ", expected ",
                     expected, " within ", allowed);
    }
}

void check_shape(Check& check) {
    Int8Linear job;
    job.rows = check.size(0, 150);
    job.in = check.size(0, 300);
    job.columns = check.size(0, 150);
    check.scene(job.rows, " rows, ", job.in, " to ", job.columns);
    const Weights weights(check, job.in, job.columns);
    const Guarded x(static_cast<std::size_t>(4 * job.rows * job.in), check.flush());
    const Guarded bias(static_cast<std::size_t>(4 * job.columns), check.flush());
    const Guarded rounded(static_cast<std::size_t>(job.rows * int8_inputs(job.in)), check.flush());
    const Guarded row_scale(static_cast<std::size_t>(4 * job.rows), check.flush());
    std::normal_distribution<float> values(0.2F, 1);
    for (const Guarded* memory : {&x, &bias})
        for (std::size_t i = 0; i < memory->bytes() / 4; ++i)
            reinterpret_cast<float*>(memory->data())[i] = values(check.rng());
    if (job.rows > 1 && check.chance(0.2)) std::fill_n(reinterpret_cast<float*>(x.data()), job.in, 0.0F);
    job.x = reinterpret_cast<const float*>(x.data());
    job.bias = check.chance(0.2) ? nullptr : reinterpret_cast<const float*>(bias.data());
    job.rounded = rounded.data();
    job.row_scale = reinterpret_cast<float*>(row_scale.data());
    job.weight = weights.packed.data();
    job.scale = weights.scale.data();
    job.offset = weights.offset.data();
    const std::int64_t cut_rows = check.number(0, job.rows);
    int8_round_cpu(job, {cut_rows, job.rows});
    int8_round_cpu(job, {0, cut_rows});
    check.expect(rounded.intact() && row_scale.intact(), "rounding wrote outside its outputs");

    const auto bytes = static_cast<std::size_t>(4 * job.rows * job.columns);
    const std::int64_t tasks = int8_linear_tasks(job);
    const Guarded whole(bytes, check.flush());
    job.out = reinterpret_cast<float*>(whole.data());
    int8_linear_cpu(job, {0, tasks}, Int8Code::plain);
    check.expect(whole.intact(), "wrote outside its output");
    compare_values(check, job, weights);
    const Guarded parts(bytes, check.flush());
    job.out = reinterpret_cast<float*>(parts.data());
    const std::int64_t cut = check.number(0, tasks);
    int8_linear_cpu(job, {cut, tasks});
    int8_linear_cpu(job, {0, cut});
    check.same(whole, parts, has_fast_int8() ? "VNNI in two parts" : "in two parts");
}

void bench(Check& check, std::int64_t in, std::int64_t columns) {
    constexpr std::int64_t kRows = 144;
    const Weights weights(check, in, columns);
    std::vector<float> x(kRows * in, 0.1F);
    std::vector<float> out(kRows * columns);
    std::vector<std::uint8_t> rounded(kRows * int8_inputs(in));
    std::vector<float> row_scale(kRows);
    const Int8Linear job{kRows,
                         in,
                         columns,
                         x.data(),
                         rounded.data(),
                         row_scale.data(),
                         weights.packed.data(),
                         weights.scale.data(),
                         weights.offset.data(),
                         nullptr,
                         out.data()};
    const auto run = [&](Int8Code code) {
        int8_round_cpu(job, {0, kRows});
        int8_linear_cpu(job, {0, int8_linear_tasks(job)}, code);
    };
    const auto size = static_cast<double>(in * columns);
    check.bench(
        omnisync::concat("linear, 144 rows, ", in, " to ", columns, " int8"),
        {size + kRows * static_cast<double>(5 * in + 4 * columns), 2 * kRows * size}, [&] { run(Int8Code::plain); },
        [&] { run(best_int8_code()); });
}

}  // namespace

void check_int8_linear(Check& check) {
    for (int i = 0; i < check.options().shapes; ++i) check_shape(check);
    if (!check.options().bench) return;
    bench(check, 192, 576);
    bench(check, 768, 192);
}

}  // namespace kernelcheck
