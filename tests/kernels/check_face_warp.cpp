// Faces seen through displacements against the formulas of face_warp.h in double precision.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/face_warp.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

struct Place {
    double x, y;
};

/// Numbers in memory of their own, `rows` of `columns` with gaps behind rows.
struct Numbers {
    Guarded memory;
    std::int64_t stride;

    static Numbers random(Check& check, std::int64_t rows, std::int64_t columns, double low, double high, bool gaps) {
        const std::int64_t stride = columns + (gaps ? check.number(0, 9) : 0);
        Numbers made{Guarded(static_cast<std::size_t>(4 * ((rows - 1) * stride + columns)), check.flush()), stride};
        for (std::int64_t i = 0; i < (rows - 1) * stride + columns; ++i)
            made.data()[i] = static_cast<float>(low + (high - low) * static_cast<double>(check.number(0, 1000)) / 1000);
        return made;
    }
    [[nodiscard]] float* data() const { return reinterpret_cast<float*>(memory.data()); }
};

struct Scene {
    std::vector<Numbers> numbers;  // of two views, then of two grids
    FaceWarp job;
};

NodeGrid random_grid(Check& check, std::vector<Numbers>& numbers, double low, double high) {
    NodeGrid grid;
    grid.rows = static_cast<std::int32_t>(check.size(2, 40));
    grid.columns = static_cast<std::int32_t>(check.size(2, 40));
    grid.x = static_cast<float>(check.number(0, 30));
    grid.y = static_cast<float>(check.number(0, 30));
    grid.scale = check.chance(0.5) ? 0.25F : 0.5F;
    const Numbers& made =
        numbers.emplace_back(Numbers::random(check, 1, std::int64_t{4} * grid.rows * grid.columns, low, high, false));
    grid.values = made.data();
    return grid;
}

FaceView random_view(Check& check, std::vector<Numbers>& numbers) {
    FaceView view;
    view.rows = static_cast<std::int32_t>(check.size(1, 150));
    view.columns = static_cast<std::int32_t>(check.size(1, 150));
    const Numbers& made = numbers.emplace_back(Numbers::random(check, 3 * view.rows, view.columns, 0, 1, true));
    view.pixels = made.data();
    view.row_stride = made.stride;
    view.plane_stride = view.rows * made.stride;
    const double scale = std::exp2(static_cast<double>(check.number(-100, 150)) / 100);
    const double turn = static_cast<double>(check.number(-60, 60)) / 100;
    const double a = scale * std::cos(turn), b = scale * std::sin(turn);
    const double map[] = {a, -b, static_cast<double>(check.number(-50, 50)),
                          b, a,  static_cast<double>(check.number(-50, 50))};
    std::copy_n(map, 6, view.to_pixels);
    return view;
}

Scene random_scene(Check& check, bool huge) {
    Scene scene;
    FaceWarp& job = scene.job;
    job.area = {static_cast<std::int32_t>(check.number(-50, 500)), static_cast<std::int32_t>(check.number(-50, 500)),
                static_cast<std::int32_t>(huge ? check.number(300, 700) : check.size(0, 80)),
                static_cast<std::int32_t>(huge ? check.number(50, 100) : check.size(0, 40))};
    const double scale = static_cast<double>(check.number(30, 200)) / 100;
    const double turn = static_cast<double>(check.number(-60, 60)) / 100;
    const double a = scale * std::cos(turn), b = scale * std::sin(turn);
    const double map[] = {a, -b, 20 - a * job.area.x + b * job.area.y, b, a, 20 - b * job.area.x - a * job.area.y};
    std::copy_n(map, 6, job.to_canonical);
    job.source = random_view(check, scene.numbers);
    job.exemplar = random_view(check, scene.numbers);
    job.mattes = random_grid(check, scene.numbers, -0.5, 1);
    float* const mattes = scene.numbers.back().data();  // a third of them 0
    for (int i = 0; i < 4 * job.mattes.rows * job.mattes.columns; ++i) mattes[i] = std::max(mattes[i], 0.F);
    job.warps = random_grid(check, scene.numbers, -2, 2);
    check.scene("area ", job.area.x, " ", job.area.y, " ", job.area.width, " ", job.area.height, ", pictures ",
                job.source.columns, " x ", job.source.rows, " and ", job.exemplar.columns, " x ", job.exemplar.rows);
    return scene;
}

// ---- the formulas ---------------------------------------------------------------------------------------------------

/// Numbers and how far off they may be.
struct About {
    double v[4] = {};
    double error = 0;
};

About read_nodes(const NodeGrid& grid, Place at) {
    const double u = std::clamp((at.x - grid.x) * grid.scale, 0.0, grid.columns - 1.0);
    const double v = std::clamp((at.y - grid.y) * grid.scale, 0.0, grid.rows - 1.0);
    const int i = std::min(static_cast<int>(u), grid.columns - 2), j = std::min(static_cast<int>(v), grid.rows - 2);
    const float* const node = grid.values + 4 * (j * grid.columns + i);
    About read;
    double most = 0;
    for (int k = 0; k < 4; ++k) {
        const double weight = (k % 2 == 0 ? 1 - (u - i) : u - i) * (k / 2 == 0 ? 1 - (v - j) : v - j);
        for (int c = 0; c < 4; ++c) {
            const double value = node[4 * (k / 2 * grid.columns + k % 2) + c];
            read.v[c] += weight * value;
            most = std::max(most, std::abs(value));
        }
    }
    const double place = kWarpPlaceError * (std::abs(at.x) + std::abs(at.y) + grid.x + grid.y) * grid.scale;
    read.error = 4 * most * (place + 0x1p-22);
    return read;
}

double keys(double distance) {
    constexpr double a = -0.75;
    const double d = std::abs(distance);
    return d < 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// Colours of 0 .. 1 at a place that is `unsure` canonical pixels.
About look(const FaceView& view, Place at, double unsure) {
    const float* const m = view.to_pixels;
    const double x = m[0] * at.x + m[1] * at.y + m[2], y = m[3] * at.x + m[4] * at.y + m[5];
    const double size = std::abs(m[0]) + std::abs(m[1]);
    About seen;
    for (auto j = std::llround(std::ceil(y - 2)); j <= y + 2; ++j)
        for (auto i = std::llround(std::ceil(x - 2)); i <= x + 2; ++i)
            for (int c = 0; c < 3; ++c)
                seen.v[c] += keys(static_cast<double>(i) - x) * keys(static_cast<double>(j) - y) *
                             view.pixels[c * view.plane_stride +
                                         std::clamp<std::int64_t>(j, 0, view.rows - 1) * view.row_stride +
                                         std::clamp<std::int64_t>(i, 0, view.columns - 1)];
    const double place =
        unsure * size + kWarpPlaceError * (size * (std::abs(at.x) + std::abs(at.y)) + std::abs(m[2]) + std::abs(m[5]));
    seen.error = 5 * place + kWarpError;
    return seen;
}

struct Expected {
    About mattes, made, difference;
};

Expected pixel(const FaceWarp& job, int i, int j) {
    const double* const to = job.to_canonical;
    const double x = job.area.x + i, y = job.area.y + j;
    const Place c{to[0] * x + to[1] * y + to[2], to[3] * x + to[4] * y + to[5]};
    const double unsure = kWarpPlaceError * (std::abs(c.x) + std::abs(c.y));
    Expected expected;
    expected.mattes = read_nodes(job.mattes, c);
    const double mouth = expected.mattes.v[0], ring = expected.mattes.v[1];
    const About by = read_nodes(job.warps, c);
    const About source = look(job.source, {c.x + by.v[0], c.y + by.v[1]}, unsure + by.error);
    const About exemplar = look(job.exemplar, {c.x + by.v[2], c.y + by.v[3]}, unsure + by.error);
    for (int k = 0; k < 3; ++k) {
        expected.made.v[k] = source.v[k] + (exemplar.v[k] - source.v[k]) * mouth;
        expected.difference.v[k] = (source.v[k] - exemplar.v[k]) * ring;
    }
    expected.difference.v[3] = ring;
    // Bicubic overshoot: colours of 0 .. 1 become -1 .. 2 at most.
    expected.made.error = source.error + exemplar.error + 3 * expected.mattes.error;
    expected.difference.error = expected.made.error;
    return expected;
}

// ---- comparisons ----------------------------------------------------------------------------------------------------

/// Where a job writes.
struct Outputs {
    Guarded made, mouth, edit, sums;
    Outputs(Check& check, const PixelArea& area)
        : made(bytes(3 * area.width * area.height), check.flush()),
          mouth(bytes(area.width * area.height), check.flush()),
          edit(bytes(area.width * area.height), check.flush()),
          sums(bytes(area.width > 0 ? 4 * area.height : 0), check.flush()) {}
    static std::size_t bytes(int count) { return 4 * static_cast<std::size_t>(count); }
    void into(FaceWarp& job) const {
        job.made = reinterpret_cast<float*>(made.data());
        job.mouth = reinterpret_cast<float*>(mouth.data());
        job.edit = reinterpret_cast<float*>(edit.data());
        job.sums = reinterpret_cast<float*>(sums.data());
    }
};

void compare_pixel(Check& check, const FaceWarp& job, int i, int j) {
    const Expected expected = pixel(job, i, j);
    const std::int64_t at = std::int64_t{j} * job.area.width + i,
                       plane = std::int64_t{job.area.width} * job.area.height;
    const double edit = job.edit[at];
    check.expect(std::abs(edit - expected.mattes.v[2]) <= expected.mattes.error, "edit ", edit, " at ", i, " ", j,
                 ", expected ", expected.mattes.v[2]);
    const double mouth = edit > 0 ? expected.mattes.v[0] : 0;
    check.expect(std::abs(job.mouth[at] - mouth) <= expected.mattes.error, "mouth ", job.mouth[at], " at ", i, " ", j);
    for (int c = 0; c < 3; ++c) {
        const double value = edit > 0 ? expected.made.v[c] : 0, error = edit > 0 ? expected.made.error : 0;
        check.expect(std::abs(job.made[c * plane + at] - value) <= error, "colour ", c, " at ", i, " ", j, " is ",
                     job.made[c * plane + at], ", expected ", value, " within ", error);
    }
}

void compare_row(Check& check, const FaceWarp& job, int j) {
    About sums;
    for (int i = 0; i < job.area.width; ++i) {
        const Expected expected = pixel(job, i, j);
        for (int c = 0; c < 4; ++c) sums.v[c] += expected.difference.v[c];
        sums.error += expected.difference.error;
    }
    for (int c = 0; c < 4; ++c)
        check.expect(std::abs(job.sums[4 * j + c] - sums.v[c]) <= sums.error, "sum ", c, " of row ", j, " is ",
                     job.sums[4 * j + c], ", expected ", sums.v[c], " within ", sums.error);
}

void compare_with_cuda(Check& check, const Scene& scene, const Outputs& first) {
    if (!device_absent().empty()) return;
    FaceWarp job = scene.job;
    std::vector<DeviceMemory> inputs;
    for (const float** place : {&job.source.pixels, &job.exemplar.pixels, &job.mattes.values, &job.warps.values})
        for (const Numbers& one : scene.numbers)
            if (*place == one.data()) {
                inputs.emplace_back(one.memory.bytes()).upload(one.data(), one.memory.bytes());
                *place = static_cast<const float*>(inputs.back().data());
                break;
            }
    DeviceMemory made(first.made.bytes()), mouth(first.mouth.bytes()), edit(first.edit.bytes()),
        sums(first.sums.bytes());
    job.made = static_cast<float*>(made.data());
    job.mouth = static_cast<float*>(mouth.data());
    job.edit = static_cast<float*>(edit.data());
    job.sums = static_cast<float*>(sums.data());
    face_warp_cuda(job, {});
    const Outputs got(check, job.area);
    made.download(got.made.data(), got.made.bytes());
    mouth.download(got.mouth.data(), got.mouth.bytes());
    edit.download(got.edit.data(), got.edit.bytes());
    check.same(first.made, got.made, "CUDA: made");
    check.same(first.mouth, got.mouth, "CUDA: mouth");
    check.same(first.edit, got.edit, "CUDA: edit");
    sums.download(got.sums.data(), got.sums.bytes());
    FaceWarp there = scene.job;
    got.into(there);
    for (int j = 0; j < job.area.height && job.area.width > 0; ++j) compare_row(check, there, j);
}

void check_shape(Check& check, bool huge) {
    Scene scene = random_scene(check, huge);
    FaceWarp& job = scene.job;
    const std::int64_t tasks = face_warp_tasks(job);
    const Outputs first(check, job.area);
    first.into(job);
    face_warp_cpu(job, {0, tasks}, Simd::plain);
    const int pixels = job.area.width * job.area.height;
    for (int i = 0; i < std::min(pixels, 100); ++i) {
        const auto at = static_cast<int>(pixels <= 100 ? i : check.number(0, pixels - 1));
        compare_pixel(check, job, at % job.area.width, at / job.area.width);
    }
    for (int j = 0; j < tasks; j += huge ? 16 : 1) compare_row(check, job, j);
    for (const Simd simd : variants()) {
        const Outputs other(check, job.area);
        FaceWarp again = job;
        other.into(again);
        const std::int64_t cut = check.number(0, tasks);
        face_warp_cpu(again, {cut, tasks}, simd);
        face_warp_cpu(again, {0, cut}, simd);
        check.same(first.made, other.made, omnisync::kernels::name(simd));
        check.same(first.mouth, other.mouth, omnisync::kernels::name(simd));
        check.same(first.edit, other.edit, omnisync::kernels::name(simd));
        check.same(first.sums, other.sums, omnisync::kernels::name(simd));
    }
    compare_with_cuda(check, scene, first);
}

}  // namespace

void check_face_warp(Check& check) {
    for (int i = 0; i < check.options().shapes; ++i) check_shape(check, i % 50 == 49);
}

}  // namespace kernelcheck
