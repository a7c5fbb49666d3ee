#include "check.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>

#include "device.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

/// The shortest of `repeats` calls: on a shared machine the median measures the neighbours.
double cpu_seconds(int repeats, const std::function<void()>& body) {
    using Clock = std::chrono::steady_clock;
    double best = 1e30;
    for (int i = 0; i < repeats; ++i) {
        const auto begin = Clock::now();
        body();
        best = std::min(best, std::chrono::duration<double>(Clock::now() - begin).count());
    }
    return best;
}

void print(const Timing& timing) {
    std::printf("    %-44s %9.3f us %7.2f GB/s", timing.name.c_str(), timing.seconds * 1e6,
                timing.work.bytes / timing.seconds * 1e-9);
    if (timing.work.operations > 0) std::printf(" %8.2f GFLOP/s", timing.work.operations / timing.seconds * 1e-9);
    if (timing.plain_seconds > 0) std::printf("  %5.2fx a plain loop", timing.plain_seconds / timing.seconds);
    std::printf("\n");
}

}  // namespace

Check::Check(const Options& options) : options_(options), rng_(options.seed) {}

std::int64_t Check::number(std::int64_t least, std::int64_t most) {
    return std::uniform_int_distribution<std::int64_t>(least, most)(rng_);
}

bool Check::chance(double probability) {
    return std::bernoulli_distribution(probability)(rng_);
}

std::int64_t Check::size(std::int64_t least, std::int64_t most) {
    if (chance(0.1)) return least;
    const double top = std::log2(static_cast<double>(std::max<std::int64_t>(most, 1)));
    const double exponent = std::uniform_real_distribution<double>(0, top)(rng_);
    auto value = static_cast<std::int64_t>(std::exp2(exponent));
    if (chance(0.5)) value = (std::int64_t{1} << static_cast<int>(exponent)) + number(-1, 1);
    return std::clamp(value, least, most);
}

void Check::same(const Guarded& expected, const Guarded& got, const char* what) {
    const auto* a = expected.data();
    const auto* b = got.data();
    const auto* end = a + expected.bytes();
    const auto* first = std::mismatch(a, end, b).first;
    expect(first == end, what, ": first differing byte ", first - a, " of ", expected.bytes());
    expect(got.intact(), what, ": wrote outside its output");
}

void Check::note(const std::string& line) {
    std::printf("    %s\n", line.c_str());
}

void Check::bench(const std::string& name, Work work, const std::function<void()>& scalar,
                  const std::function<void()>& kernel) {
    if (!options_.bench) return;
    // Alternated, so that a slow moment of the machine hits both.
    double plain = 1e30;
    double ours = 1e30;
    for (int round = 0; round < 5; ++round) {
        plain = std::min(plain, cpu_seconds(5, scalar));
        ours = std::min(ours, cpu_seconds(15, kernel));
    }
    timings_.push_back({name, work, ours, plain});
    print(timings_.back());
}

void Check::bench_cuda(const std::string& name, Work work, const std::function<void()>& queue) {
    if (!options_.bench || !device_absent().empty()) return;
    timings_.push_back({name, work, device_seconds(50, queue)});
    print(timings_.back());
    if (options_.copy_speed > 0)
        std::printf("      %.0f %% of a copy's bytes/s\n",
                    100 * work.bytes / timings_.back().seconds / options_.copy_speed);
}

void Check::failed(const std::string& text) {
    if (++failures_ <= 10) std::printf("  FAILED %s\n         in %s\n", text.c_str(), scene_.c_str());
}

bool Check::report(const std::string& name) {
    std::printf("%s %s: %lld comparisons, %lld failed\n", failures_ == 0 ? "ok    " : "FAILED", name.c_str(),
                static_cast<long long>(comparisons_), static_cast<long long>(failures_));
    const bool good = failures_ == 0;
    comparisons_ = failures_ = 0;
    scene_.clear();
    return good;
}

std::vector<Simd> variants() {
    std::vector<Simd> all;
    for (const Simd simd : {Simd::plain, Simd::avx2, Simd::avx512, Simd::avx512_bf16})
        if (simd <= best_simd()) all.push_back(simd);
    return all;
}

double value_at(const void* data, Type type, std::int64_t index) {
    return type == Type::f32 ? to_float(static_cast<const float*>(data)[index])
                             : to_float(static_cast<const bf16*>(data)[index]);
}

void set_value(void* data, Type type, std::int64_t index, float value) {
    if (type == Type::f32)
        static_cast<float*>(data)[index] = value;
    else
        static_cast<bf16*>(data)[index] = from_float<bf16>(value);
}

void fill(Check& check, const Guarded& memory, Type type, double mean, double deviation, double rare) {
    std::normal_distribution<float> values(static_cast<float>(mean), static_cast<float>(deviation));
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(memory.bytes()) / size_of(type); ++i) {
        const float times = rare > 0 && check.chance(rare) ? 40 : 1;
        set_value(memory.data(), type, i, times * values(check.rng()));
    }
}

double rounding_of(Type type) {
    return type == Type::f32 ? 0x1p-24 : 0x1p-8;
}

const char* name(Type type) {
    return type == Type::f32 ? "f32" : "bf16";
}

}  // namespace kernelcheck
