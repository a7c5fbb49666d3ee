// Mel bands against sums of cosines in double precision.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/log_mel.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Scene {
    LogMel job;
    Guarded samples;
    std::vector<float> window, roots, filters;
    std::vector<std::int32_t> ranges;

    [[nodiscard]] int bins() const { return job.fft / 2 + 1; }
    [[nodiscard]] int columns() const { return job.bands > 0 ? job.bands : bins(); }
    [[nodiscard]] std::size_t out_bytes() const { return static_cast<std::size_t>(4 * job.frames * columns()); }
};

Scene random_scene(Check& check, bool huge) {
    const std::int32_t sizes[] = {400, 512, 400, 512, 2, 4, 10, 16, 40, 50, 64, 80, 100, 128, 200, 250, 256, 320, 500};
    LogMel job;
    job.fft = sizes[check.number(0, std::size(sizes) - 1)];
    job.length = static_cast<std::int32_t>(check.chance(0.5) ? job.fft : check.size(1, job.fft));
    job.hop = check.chance(0.5) ? 160 : check.size(1, 500);
    job.frames = huge ? check.number(500, 2000) : check.size(0, 70);
    job.bands = static_cast<std::int32_t>(check.chance(0.3) ? 0 : check.size(1, 80));
    job.logarithm = check.chance(0.5);
    const std::int64_t count = job.frames == 0 ? 0 : (job.frames - 1) * job.hop + job.length;
    Scene scene{job, Guarded(static_cast<std::size_t>(4 * count), check.flush()), {}, {}, {}, {}};
    std::normal_distribution<float> values(0, check.chance(0.2) ? 1e-5F : 0.3F);
    auto* const samples = reinterpret_cast<float*>(scene.samples.data());
    const bool silent = check.chance(0.05);
    for (std::int64_t i = 0; i < count; ++i) samples[i] = silent ? 0 : values(check.rng());
    for (int i = 0; i < job.length; ++i) scene.window.push_back(static_cast<float>(check.number(0, 1000)) / 1000);
    scene.roots.resize(2 * static_cast<std::size_t>(job.fft));
    mel_roots(job.fft, scene.roots.data());
    for (int band = 0; band < job.bands; ++band) {
        const std::int64_t first = check.number(0, scene.bins() - 1), end = check.number(first, scene.bins());
        for (int k = 0; k < scene.bins(); ++k)
            scene.filters.push_back(k < first || k >= end ? 0 : static_cast<float>(check.number(0, 100)) / 100);
    }
    scene.ranges.resize(2 * static_cast<std::size_t>(job.bands));
    mel_ranges(scene.filters.data(), job.bands, scene.bins(), scene.ranges.data());
    scene.job.samples = samples;
    scene.job.window = scene.window.data();
    scene.job.roots = scene.roots.data();
    scene.job.filters = scene.filters.data();
    scene.job.ranges = scene.ranges.data();
    check.scene("transform of ", job.fft, ", window ", job.length, ", hop ", job.hop, ", frames ", job.frames,
                ", bands ", job.bands, job.logarithm ? ", logarithm" : "");
    return scene;
}

void compare_frame(Check& check, const Scene& scene, const Guarded& out, std::int64_t frame) {
    const LogMel& job = scene.job;
    std::vector<double> power;
    double total = 0;
    for (int k = 0; k < scene.bins(); ++k) {
        double re = 0, im = 0;
        for (int i = 0; i < job.length; ++i) {
            const double x = static_cast<double>(job.samples[frame * job.hop + i]) * job.window[i];
            const double angle = 2 * std::numbers::pi * (static_cast<double>(i) * k / job.fft);
            re += x * std::cos(angle);
            im -= x * std::sin(angle);
        }
        power.push_back(re * re + im * im);
        total += power.back();
    }
    for (int column = 0; column < scene.columns(); ++column) {
        double value = job.bands > 0 ? 0 : power[static_cast<std::size_t>(column)];
        double error = job.bands > 0 ? 0 : kMelError * total;
        for (int k = 0; k < scene.bins() && job.bands > 0; ++k) {
            const double weight = scene.filters[static_cast<std::size_t>(column * scene.bins() + k)];
            value += weight * power[static_cast<std::size_t>(k)];
            error += weight * kMelError * total;
        }
        error += kMelError * value;
        const double got = value_at(out.data(), Type::f32, frame * scene.columns() + column);
        const auto log = [](double v) { return std::log10(std::max(v, 1e-10)); };
        const bool good = job.logarithm
                              ? got >= log(value - error) - kMelLogError && got <= log(value + error) + kMelLogError
                              : std::abs(got - value) <= error;
        check.expect(good, "frame ", frame, " column ", column, " is ", got, ", expected ",
                     job.logarithm ? log(value) : value, " (power within ", error, ")");
    }
}

void compare_values(Check& check, const Scene& scene, const Guarded& out) {
    check.expect(out.intact(), "wrote outside its output");
    for (std::int64_t i = 0; i < std::min<std::int64_t>(scene.job.frames, 3); ++i)
        compare_frame(check, scene, out, i == 0 ? scene.job.frames - 1 : check.number(0, scene.job.frames - 1));
}

void compare_with_cuda(Check& check, const Scene& scene) {
    if (!device_absent().empty()) return;
    LogMel job = scene.job;
    const auto up = [](DeviceMemory& memory, const auto& values) {
        memory.upload(values.data(), values.size() * 4);
        return memory.data();
    };
    DeviceMemory samples(scene.samples.bytes()), window(scene.window.size() * 4), roots(scene.roots.size() * 4),
        filters(scene.filters.size() * 4), ranges(scene.ranges.size() * 4), out(scene.out_bytes());
    samples.upload(scene.samples.data(), scene.samples.bytes());
    job.samples = static_cast<const float*>(samples.data());
    job.window = static_cast<const float*>(up(window, scene.window));
    job.roots = static_cast<const float*>(up(roots, scene.roots));
    job.filters = static_cast<const float*>(up(filters, scene.filters));
    job.ranges = static_cast<const std::int32_t*>(up(ranges, scene.ranges));
    job.out = static_cast<float*>(out.data());
    log_mel_cuda(job, {});
    const Guarded got(scene.out_bytes(), Flush::end);
    out.download(got.data(), got.bytes());
    compare_values(check, scene, got);
}

void check_shape(Check& check, bool huge) {
    const Scene scene = random_scene(check, huge);
    const std::int64_t tasks = log_mel_tasks(scene.job);
    for (const Simd simd : variants()) {
        const Guarded whole(scene.out_bytes(), check.flush()), split(scene.out_bytes(), check.flush());
        LogMel job = scene.job;
        job.out = reinterpret_cast<float*>(whole.data());
        log_mel_cpu(job, {0, tasks}, simd);
        compare_values(check, scene, whole);
        job.out = reinterpret_cast<float*>(split.data());
        const std::int64_t cut = check.number(0, tasks);
        log_mel_cpu(job, {cut, tasks}, simd);
        log_mel_cpu(job, {0, cut}, simd);
        check.same(whole, split, omnisync::kernels::name(simd));
    }
    compare_with_cuda(check, scene);
}

}  // namespace

void check_log_mel(Check& check) {
    for (int i = 0; i < check.options().shapes; ++i) check_shape(check, i % 50 == 49);
}

}  // namespace kernelcheck
