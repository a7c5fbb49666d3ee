// Pasting against the formulas of paste.h in double precision, sample by sample.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/paste.h"
#include "noise_reference.h"
#include "random_picture.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

namespace exact {

using namespace curve_math;

double light(Curve curve, double v) {
    switch (curve) {
        case Curve::linear:
            return v;
        case Curve::pq: {
            const double p = std::pow(v, 1 / kM2);
            return std::pow(std::max(p - kC1, 0.0) / (kC2 - kC3 * p), 1 / kM1);
        }
        case Curve::hlg:
            return v <= 0.5 ? v * v / 3 : (std::exp((v - kC) / kA) + kB) / 12;
        default:
            return std::pow(v, kGamma);
    }
}

double coded(Curve curve, double light) {
    const double l = std::clamp(light, 0.0, 1.0);
    switch (curve) {
        case Curve::linear:
            return l;
        case Curve::pq: {
            const double p = std::pow(l, kM1);
            return std::pow((kC1 + kC2 * p) / (1 + kC3 * p), kM2);
        }
        case Curve::hlg:
            return l <= 1.0 / 12 ? std::sqrt(3 * l) : kA * std::log(12 * l - kB) + kC;
        default:
            return std::pow(l, 1 / kGamma);
    }
}

}  // namespace exact

/// A number and how far off it may be.
struct About {
    double value = 0;
    double error = 0;
};

About coded_about(Curve curve, double light, double error) {
    const double value = exact::coded(curve, light);
    return {value, std::max(exact::coded(curve, light + error) - value, value - exact::coded(curve, light - error))};
}

About change_of(const Paste& job, int colour, double before, double made, double w) {
    const double b = std::clamp(before, 0.0, 1.0);
    const double m = std::clamp(made * job.gain[colour] + job.offset[colour], 0.0, 1.0);
    if (!(w > 0)) return {};
    if (w >= 1) return {m - b, kPasteError};
    const double old_light = exact::light(job.curve, b), new_light = exact::light(job.curve, m);
    const double mixed = old_light + (new_light - old_light) * w;
    const double own = kPasteLightError * (job.curve == Curve::pq ? 16 : 1);
    const About then = coded_about(job.curve, old_light, own * old_light);
    const About now = coded_about(job.curve, mixed, kPasteLightError * std::max(old_light, new_light) + own * mixed);
    return {now.value - then.value, then.error + now.error + kPasteError};
}

/// Planes of one type with gaps between rows.
struct Colours {
    Guarded memory;
    ColourPlanes planes;

    Colours(Check& check, Type type, std::int64_t width, std::int64_t height)
        : Colours(check, type, width, height, check.chance(0.5) ? 0 : check.number(1, 20)) {}

    [[nodiscard]] std::int64_t index(int plane, std::int64_t row, std::int64_t column) const {
        return plane * planes.plane_stride + row * planes.row_stride + column;
    }
    void set(std::int64_t at, double value) const {
        set_value(memory.data(), planes.type, at, static_cast<float>(value));
    }
    [[nodiscard]] double get(std::int64_t at) const { return value_at(memory.data(), planes.type, at); }

private:
    Colours(Check& check, Type type, std::int64_t width, std::int64_t height, std::int64_t gap)
        : memory(static_cast<std::size_t>((3 * height * (width + gap) - gap) * size_of(type)), check.flush()),
          planes{memory.data(), type, height * (width + gap), width + gap} {}
};

struct Scene {
    RandomPicture picture;
    Colours before;
    Colours made;
    Guarded weight;
    Paste job;

    [[nodiscard]] Paste into(const RandomPicture& other) const {
        Paste changed = job;
        changed.picture = other.picture;
        return changed;
    }
    [[nodiscard]] float weight_at(std::int64_t row, std::int64_t column) const {
        return job.weight[row * job.weight_stride + column];
    }
};

void fill(Check& check, const Scene& scene) {
    auto* const weights = reinterpret_cast<float*>(scene.weight.data());
    const auto value = [&] { return static_cast<double>(check.number(-100, 1100)) / 1000; };
    const bool hard = check.chance(0.2), strange = check.chance(0.2);
    double run = 0;
    for (std::int64_t y = 0; y < scene.job.area.height; ++y)
        for (std::int64_t x = 0; x < scene.job.area.width; ++x) {
            if (check.chance(0.05))
                run = check.chance(0.4) ? 0 : check.chance(0.4) ? 1 : 0.5;  // in runs, as mattes are
            const double w = run != 0.5 || hard ? std::round(run) : static_cast<double>(check.number(0, 1000)) / 1000;
            weights[y * scene.job.weight_stride + x] = static_cast<float>(w);
            const bool same = check.chance(0.1);
            for (int c = 0; c < 3; ++c) {
                const std::int64_t at = scene.before.index(c, y, x);
                scene.before.set(at, value());
                scene.made.set(scene.made.index(c, y, x), same ? scene.before.get(at) : value());
            }
            if (!strange || !check.chance(0.02)) continue;
            const float odd[] = {-1, 2, std::numeric_limits<float>::quiet_NaN()};
            weights[y * scene.job.weight_stride + x] = odd[check.number(0, 2)];
        }
}

Scene random_scene(Check& check, Type type, bool huge) {
    const auto width = static_cast<std::int32_t>(huge ? check.number(600, 2000) : check.size(1, 200));
    const auto height = static_cast<std::int32_t>(huge ? check.number(40, 200) : check.size(1, 60));
    RandomPicture picture = random_picture(check, width, height);
    Paste job;
    job.picture = picture.picture;
    job.area = random_area(check, picture);
    job.weight_stride = job.area.width + (check.chance(0.5) ? 0 : check.number(1, 9));
    job.curve = static_cast<Curve>(check.chance(0.6) ? 0 : check.number(0, 3));
    for (int c = 0; c < 3; ++c) {
        if (check.chance(0.2)) job.gain[c] = static_cast<float>(check.number(500, 1500)) / 1000;
        if (check.chance(0.2)) job.offset[c] = static_cast<float>(check.number(-100, 100)) / 1000;
    }
    if (check.chance(0.2)) {
        job.grain = {check.rng()(), static_cast<std::uint32_t>(check.number(0, 5)), check.number(-5, 5000), {}};
        for (float& strength : job.grain.strength) strength = static_cast<float>(check.number(0, 3000)) / 500;
    }
    const std::int64_t rows = std::max(job.area.height, 1);  // Colours and weights need one to have memory
    const std::int64_t columns = std::max(job.area.width, 1);
    Scene scene{std::move(picture), Colours(check, type, columns, rows),
                Colours(check, check.chance(0.8) ? type : Type::f32, columns, rows),
                Guarded(static_cast<std::size_t>(4 * ((rows - 1) * job.weight_stride + columns)), check.flush()), job};
    scene.job.before = scene.before.planes;
    scene.job.made = scene.made.planes;
    scene.job.weight = reinterpret_cast<const float*>(scene.weight.data());
    fill(check, scene);
    check.scene(name(type), ", ", width, " x ", height, ", area ", job.area.x, " ", job.area.y, " ", job.area.width,
                " ", job.area.height, ", bits ", job.picture.bits, ", planes ", job.picture.count, ", shifts ",
                job.picture.shift_x, " ", job.picture.shift_y, ", curve ", static_cast<int>(job.curve));
    return scene;
}

/// The largest weight of the pixels that a sample stands for, and the change of its value.
struct Block {
    double weight = 0;
    About change;
};

Block block_of(const Scene& scene, int plane, std::int64_t row, std::int64_t column) {
    const Paste& job = scene.job;
    const int sx = scene.picture.shift_x(plane), sy = scene.picture.shift_y(plane);
    const std::int64_t y1 = std::min<std::int64_t>((row + 1) << sy, job.area.height);
    const std::int64_t x1 = std::min<std::int64_t>((column + 1) << sx, job.area.width);
    Block block;
    double count = 0;
    for (std::int64_t y = row << sy; y < y1; ++y)
        for (std::int64_t x = column << sx; x < x1; ++x, ++count) {
            const double w = scene.weight_at(y, x);
            if (!(w > 0)) continue;
            block.weight = std::max(block.weight, w);
            for (int c = 0; c < 3; ++c) {
                const About change = change_of(job, c, scene.before.get(scene.before.index(c, y, x)),
                                               scene.made.get(scene.made.index(c, y, x)), w);
                const double share = job.picture.to_planes[3 * plane + c];
                block.change.value += change.value * share;
                block.change.error += change.error * std::abs(share);
            }
        }
    block.change.value /= std::max(count, 1.0);
    block.change.error /= std::max(count, 1.0);
    return block;
}

void compare_sample(Check& check, const Scene& scene, const RandomPicture& got, int plane, std::int64_t row,
                    std::int64_t column) {
    const Paste& job = scene.job;
    const StoredPlane& stored = job.picture.planes[plane];
    const Block block = block_of(scene, plane, row, column);
    const std::int64_t y = (job.area.y >> scene.picture.shift_y(plane)) + row;
    const std::int64_t x = (job.area.x >> scene.picture.shift_x(plane)) + column;
    const int before = scene.picture.sample(plane, y, x), after = got.sample(plane, y, x);
    if (!(block.weight > 0)) return check.expect(before == after, "plane ", plane, " at ", x, " ", y, ": no weight");
    double expected = before + block.change.value * stored.scale;
    double error = 0.5 + block.change.error * stored.scale + 1e-6 * (before + 1);
    if (job.grain.strength[plane] != 0) {
        NoiseWindow window{job.grain.seed, job.grain.track * 3 + static_cast<unsigned>(plane), job.grain.frame};
        window.columns = stored.width;
        const double share = job.grain.strength[plane] * std::min(block.weight, 1.0);
        const Exact normal = exact_normal(window, 0, y, x);
        expected += share * normal.value;
        error += share * (kNoiseError + 0x1p-23) * normal.radius;
    }
    expected = std::clamp(expected, 0.0, static_cast<double>((1 << job.picture.bits) - 1));
    check.expect(std::abs(after - expected) <= error, "plane ", plane, " at ", x, " ", y, " is ", after, ", expected ",
                 expected, " within ", error, ", was ", before);
}

void compare_values(Check& check, const Scene& scene, const RandomPicture& got) {
    const PixelArea& area = scene.job.area;
    for (int p = 0; p < scene.job.picture.count; ++p) {
        const std::int64_t rows = (area.height + (1 << scene.picture.shift_y(p)) - 1) >> scene.picture.shift_y(p);
        const std::int64_t columns = (area.width + (1 << scene.picture.shift_x(p)) - 1) >> scene.picture.shift_x(p);
        const std::int64_t count = area.width == 0 ? 0 : rows * columns;
        for (std::int64_t i = 0; i < std::min<std::int64_t>(count, 400); ++i) {
            const std::int64_t at = count <= 400 ? i : i == 0 ? count - 1 : check.number(0, count - 1);
            compare_sample(check, scene, got, p, at / columns, at % columns);
        }
        // All samples beside the area, and what lies between rows: as before.
        const RandomPicture rest = copy_of(check, got);
        const std::int64_t x = area.x >> scene.picture.shift_x(p), y = area.y >> scene.picture.shift_y(p);
        const auto bytes = static_cast<std::size_t>((count == 0 ? 0 : columns) * got.sample_bytes());
        for (std::int64_t row = 0; row < rows && bytes > 0; ++row)
            std::memcpy(rest.at(p, y + row, x), scene.picture.at(p, y + row, x), bytes);
        const auto index = static_cast<std::size_t>(p);
        check.same(scene.picture.memory[index], rest.memory[index], "beside the area");
        check.expect(got.memory[index].intact(), "wrote outside a plane");
    }
}

void compare_with_cuda(Check& check, const Scene& scene, const RandomPicture& expected) {
    if (!device_absent().empty()) return;
    std::vector<DeviceMemory> planes;
    Paste job = scene.job;
    for (int p = 0; p < job.picture.count; ++p) {
        const Guarded& memory = scene.picture.memory[static_cast<std::size_t>(p)];
        planes.emplace_back(memory.bytes()).upload(memory.data(), memory.bytes());
        job.picture.planes[p].data = static_cast<std::uint8_t*>(planes.back().data()) +
                                     (static_cast<const std::uint8_t*>(job.picture.planes[p].data) - memory.data());
        if (job.picture.bits > 8 && job.picture.planes[p].stride % 2 != 0) return;
    }
    DeviceMemory before(scene.before.memory.bytes()), made(scene.made.memory.bytes()), weight(scene.weight.bytes());
    before.upload(scene.before.memory.data(), scene.before.memory.bytes());
    made.upload(scene.made.memory.data(), scene.made.memory.bytes());
    weight.upload(scene.weight.data(), scene.weight.bytes());
    job.before.data = before.data();
    job.made.data = made.data();
    job.weight = static_cast<const float*>(weight.data());
    paste_cuda(job, {});
    for (int p = 0; p < job.picture.count; ++p) {
        const Guarded& memory = expected.memory[static_cast<std::size_t>(p)];
        const Guarded got(memory.bytes(), Flush::end);
        planes[static_cast<std::size_t>(p)].download(got.data(), got.bytes());
        check.same(memory, got, "CUDA");
    }
}

void check_shape(Check& check, Type type, bool huge) {
    const Scene scene = random_scene(check, type, huge);
    const std::int64_t tasks = paste_tasks(scene.job);
    const RandomPicture first = copy_of(check, scene.picture);
    paste_cpu(scene.into(first), {0, tasks}, Simd::plain);
    compare_values(check, scene, first);
    for (const Simd simd : variants()) {
        const RandomPicture other = copy_of(check, scene.picture);
        const std::int64_t cut = check.number(0, tasks);
        paste_cpu(scene.into(other), {cut, tasks}, simd);
        paste_cpu(scene.into(other), {0, cut}, simd);
        for (std::size_t p = 0; p < other.memory.size(); ++p)
            check.same(first.memory[p], other.memory[p], omnisync::kernels::name(simd));
    }
    compare_with_cuda(check, scene, first);
}

/// What is there already, pasted with any weight, changes no bit.
void check_nothing_new(Check& check) {
    Scene scene = random_scene(check, Type::f32, false);
    scene.job.made = scene.job.before;
    scene.job.grain = {};
    for (int c = 0; c < 3; ++c) scene.job.gain[c] = 1, scene.job.offset[c] = 0;
    const RandomPicture after = copy_of(check, scene.picture);
    paste_cpu(scene.into(after), {0, paste_tasks(scene.job)});
    for (std::size_t p = 0; p < after.memory.size(); ++p)
        check.same(scene.picture.memory[p], after.memory[p], "nothing new");
}

}  // namespace

void check_paste(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) check_shape(check, type, i % 50 == 49);
    for (int i = 0; i < 50; ++i) check_nothing_new(check);
}

}  // namespace kernelcheck
