// Where the noise goes: every shape and layout against single elements computed the slow way, variants and splits
// against one another, CUDA against the CPU; and how fast.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/noise.h"
#include "kernels/noise_math.h"
#include "noise_reference.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

// ---- random jobs --------------------------------------------------------------------------------------------------

NoiseWindow random_window(Check& check, bool huge) {
    NoiseWindow window;
    window.seed = check.chance(0.1) ? ~std::uint64_t{0} : check.rng()();
    window.track = static_cast<std::uint32_t>(check.chance(0.5) ? check.number(0, 3) : check.number(0, 0xffffffff));
    window.first_frame = check.chance(0.5) ? check.number(-2, 1000) : check.number(-(1LL << 62), 1LL << 62);
    const std::int64_t most = huge ? 1 << 22 : 1 << 16;
    window.frames = check.size(0, 32);
    window.rows = check.size(0, 64);
    const std::int64_t lines = std::max<std::int64_t>(window.frames * window.rows, 1);
    window.columns = check.size(huge ? most / lines / 2 : 0, std::max<std::int64_t>(most / lines, 1));
    const std::int64_t last = kNoiseElements - window.rows * window.columns;
    window.first_element = check.chance(0.3) ? 0 : check.chance(0.1) ? last : check.number(0, last);
    return window;
}

/// How the window's elements lie in memory of `span` elements: frames or rows outermost, gaps, sometimes backwards.
struct Layout {
    std::int64_t frame_stride = 0;
    std::int64_t row_stride = 0;
    std::int64_t origin = 0;
    std::int64_t span = 0;
};

Layout random_layout(Check& check, const NoiseWindow& window) {
    Layout layout;
    const std::int64_t gap = check.chance(0.5) ? 0 : check.number(1, 9);
    std::int64_t& inner = check.chance(0.5) ? layout.row_stride : layout.frame_stride;
    std::int64_t& outer = &inner == &layout.row_stride ? layout.frame_stride : layout.row_stride;
    const std::int64_t inner_count = &inner == &layout.row_stride ? window.rows : window.frames;
    inner = window.columns + gap;
    outer = inner_count * inner + (check.chance(0.5) ? 0 : check.number(1, 9));
    if (window.frames * window.rows * window.columns == 0) return layout;
    layout.span = (window.frames - 1) * layout.frame_stride + (window.rows - 1) * layout.row_stride + window.columns;
    if (check.chance(0.1)) {
        layout.origin = (window.frames - 1) * layout.frame_stride;
        layout.frame_stride = -layout.frame_stride;
    }
    return layout;
}

template <class Pointer>
NoiseTensor<Pointer> tensor(const Layout& layout, Type type, Pointer memory) {
    using Bytes = std::conditional_t<std::is_same_v<Pointer, void*>, std::uint8_t*, const std::uint8_t*>;
    return {static_cast<Bytes>(memory) + layout.origin * size_of(type), type, layout.frame_stride, layout.row_stride};
}

/// A job of either kind, before it has memory.
struct Scene {
    NoiseWindow window;
    Type type = Type::f32;
    Layout layout;
    bool with_source = false;
    bool in_place = false;
    Type source_type = Type::f32;
    Layout source_layout;
    float tau = 1;

    [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(layout.span * size_of(type)); }
    [[nodiscard]] std::size_t source_bytes() const {
        return static_cast<std::size_t>(source_layout.span * size_of(source_type));
    }
    [[nodiscard]] Noise noise(void* out) const { return {window, tensor(layout, type, out)}; }
    [[nodiscard]] StartFromSource start(void* out, const void* source) const {
        return {window, tensor(layout, type, out), tensor(source_layout, source_type, source), tau};
    }
    void run(void* out, const void* source, Tasks tasks, Simd simd) const {
        with_source ? start_from_source_cpu(start(out, source), tasks, simd) : noise_cpu(noise(out), tasks, simd);
    }
    void run_cuda(void* out, const void* source) const {
        with_source ? start_from_source_cuda(start(out, source), {}) : noise_cuda(noise(out), {});
    }
};

Scene random_scene(Check& check, Type type, bool with_source, bool huge) {
    Scene scene;
    scene.window = random_window(check, huge);
    scene.type = scene.source_type = type;
    scene.layout = scene.source_layout = random_layout(check, scene.window);
    scene.with_source = with_source;
    scene.in_place = with_source && check.chance(0.2);
    if (with_source && !scene.in_place) {
        scene.source_type = check.chance(0.5) ? Type::f32 : Type::bf16;
        scene.source_layout = random_layout(check, scene.window);
    }
    scene.tau = check.chance(0.1) ? 0.0F : check.chance(0.1) ? 1.0F : static_cast<float>(check.number(1, 999)) / 1000;
    check.scene(name(type), with_source ? " from source " : " ", with_source ? name(scene.source_type) : "",
                scene.in_place ? " in place" : "", ", ", scene.window.frames, " x ", scene.window.rows, " x ",
                scene.window.columns, ", first element ", scene.window.first_element, ", frame ",
                scene.window.first_frame, ", strides ", scene.layout.frame_stride, " ", scene.layout.row_stride);
    return scene;
}

// ---- comparisons --------------------------------------------------------------------------------------------------

void copy(const Guarded& from, const Guarded& to) {
    std::copy_n(from.data(), from.bytes(), to.data());
}

/// Up to 500 elements against the slow way.
void compare_values(Check& check, const Scene& scene, const Guarded& out, const Guarded& source) {
    const NoiseWindow& window = scene.window;
    const std::int64_t count = window.frames * window.rows * window.columns;
    for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 500); ++i) {
        const std::int64_t index = count <= 500 ? i : i == 0 ? count - 1 : check.number(0, count - 1);
        const std::int64_t frame = index / (window.rows * window.columns);
        const std::int64_t row = index / window.columns % window.rows;
        const std::int64_t column = index % window.columns;
        const auto at = [&](const Layout& layout) {
            return layout.origin + frame * layout.frame_stride + row * layout.row_stride + column;
        };
        const Exact noise = exact_normal(window, frame, row, column);
        double expected = noise.value;
        double allowed = kNoiseError * noise.radius;
        if (scene.with_source) {
            const double kept = (1.0 - scene.tau) * value_at(source.data(), scene.source_type, at(scene.source_layout));
            expected = kept + scene.tau * noise.value;
            allowed = scene.tau * allowed + 0x1p-23 * (std::abs(kept) + scene.tau * std::abs(noise.value));
        }
        allowed += rounding_of(scene.type) * std::abs(expected);
        const double got = value_at(out.data(), scene.type, at(scene.layout));
        check.expect(std::abs(got - expected) <= allowed, "element ", index, " is ", got, ", expected ", expected);
    }
}

void compare_with_cuda(Check& check, const Scene& scene, const Guarded& expected, const Guarded& before,
                       const Guarded& source) {
    if (!device_absent().empty()) return;
    // The margins keep the alignment of the first element odd or even, as on the CPU.
    const std::size_t margin = check.chance(0.5) ? 256 : 256 + static_cast<std::size_t>(size_of(scene.type));
    std::vector<std::uint8_t> host(before.bytes() + 2 * margin, kPoison);
    std::copy_n(before.data(), before.bytes(), host.begin() + static_cast<std::ptrdiff_t>(margin));
    DeviceMemory out(host.size());
    DeviceMemory in(source.bytes());
    out.upload(host.data(), host.size());
    in.upload(source.data(), source.bytes());
    auto* data = static_cast<std::uint8_t*>(out.data()) + margin;
    scene.run_cuda(data, scene.in_place ? data : in.data());
    out.download(host.data(), host.size());
    const auto poison = [](std::uint8_t byte) { return byte == kPoison; };
    const auto begin = host.begin() + static_cast<std::ptrdiff_t>(margin);
    const auto end = host.end() - static_cast<std::ptrdiff_t>(margin);
    check.expect(std::equal(begin, end, expected.data()), "CUDA differs from the CPU");
    check.expect(std::all_of(host.begin(), begin, poison) && std::all_of(end, host.end(), poison),
                 "CUDA wrote outside its output");
}

void check_shape(Check& check, Type type, bool with_source, bool huge) {
    const Scene scene = random_scene(check, type, with_source, huge);
    const Guarded source(scene.source_bytes(), check.flush());
    fill(check, source, scene.source_type, 0, 2);
    const Guarded before(scene.bytes(), check.flush());
    if (scene.in_place) copy(source, before);
    const std::int64_t tasks = noise_tasks(scene.window);

    const Guarded first(scene.bytes(), check.flush());
    copy(before, first);
    scene.run(first.data(), scene.in_place ? first.data() : source.data(), {0, tasks}, Simd::plain);
    check.expect(first.intact(), "plain: wrote outside its output");
    compare_values(check, scene, first, source);

    for (const Simd simd : variants()) {
        const Guarded other(scene.bytes(), check.flush());
        copy(before, other);
        const void* input = scene.in_place ? other.data() : source.data();
        const std::int64_t cut = check.number(0, tasks);  // two ranges, the later one first
        scene.run(other.data(), input, {cut, tasks}, simd);
        scene.run(other.data(), input, {0, cut}, simd);
        check.same(first, other, omnisync::kernels::name(simd));
    }
    compare_with_cuda(check, scene, first, before, source);
}

void bench(Check& check) {
    constexpr std::int64_t kCount = 1 << 17;
    const NoiseWindow window{1, 0, 0, 0, 1, 1, kCount};
    std::vector<float> out(kCount);
    std::vector<float> source(kCount, 0.5F);
    const Noise noise{window, {out.data(), Type::f32, kCount, kCount}};
    const StartFromSource start{window, noise.out, {source.data(), Type::f32, kCount, kCount}, 0.92F};
    const auto each_block = [&](const auto& write) {
        for (std::uint32_t block = 0; block < kCount / 4; ++block) {
            const noise_math::Normals four = noise_math::normals(1, 0, 0, block);
            for (std::uint32_t i = 0; i < 4; ++i) write(4 * block + i, four.z[i]);
            asm volatile("" ::: "memory");  // one block at a time: this loop must stay scalar
        }
    };
    const Tasks all{0, noise_tasks(window)};
    check.bench(
        "noise, 128 Ki f32", 4.0 * kCount, [&] { each_block([&](std::uint32_t i, float z) { out[i] = z; }); },
        [&] { noise_cpu(noise, all); });
    check.bench(
        "start from source, 128 Ki f32", 8.0 * kCount,
        [&] { each_block([&](std::uint32_t i, float z) { out[i] = 0.08F * source[i] + 0.92F * z; }); },
        [&] { start_from_source_cpu(start, all); });
    if (!device_absent().empty()) return;
    constexpr std::int64_t kLarge = std::int64_t{1} << 26;
    const NoiseWindow large{1, 0, 0, 0, 1, 1, kLarge};
    DeviceMemory memory(4 * kLarge);
    DeviceMemory input(4 * kLarge);
    const Noise device_noise{large, {memory.data(), Type::f32, kLarge, kLarge}};
    const StartFromSource device_start{large, device_noise.out, {input.data(), Type::f32, kLarge, kLarge}, 0.92F};
    check.bench_cuda("noise on CUDA, 64 Mi f32", 4.0 * kLarge, [&] { noise_cuda(device_noise, {}); });
    check.bench_cuda("start from source on CUDA, 64 Mi f32", 8.0 * kLarge,
                     [&] { start_from_source_cuda(device_start, {}); });
}

}  // namespace

void check_noise(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (const bool with_source : {false, true})
            for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, with_source, i % 50 == 49);
    bench(check);
}

}  // namespace kernelcheck
