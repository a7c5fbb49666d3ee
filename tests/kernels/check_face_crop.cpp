// Reading patches and cropping faces against the formulas of face_crop.h in double precision.
#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "check.h"
#include "device.h"
#include "kernels/face_crop.h"
#include "random_picture.h"

namespace kernelcheck {

using namespace omnisync::kernels;

namespace {

/// A plane's value at a sample, beyond the edge the edge's.
double value_of(const RandomPicture& from, int p, std::int64_t row, std::int64_t column) {
    const StoredPlane& plane = from.picture.planes[p];
    const int sample = from.sample(p, std::clamp<std::int64_t>(row, 0, plane.height - 1),
                                   std::clamp<std::int64_t>(column, 0, plane.width - 1));
    return (sample - static_cast<double>(plane.zero)) / plane.scale;
}

double keys(double distance) {
    constexpr double a = -0.75;
    const double d = std::abs(distance);
    return d < 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/// A weighted mean of a plane's values about a place on its grid, by `kernel` of `reach` samples.
double read_plane(const RandomPicture& from, int p, double x, double y, double reach_x, double reach_y,
                  const std::function<double(double, double)>& kernel) {
    double sum = 0, total = 0;
    for (auto j = std::llround(std::ceil(y - reach_y)); j <= y + reach_y; ++j)
        for (auto i = std::llround(std::ceil(x - reach_x)); i <= x + reach_x; ++i) {
            const double weight = kernel(static_cast<double>(i) - x, static_cast<double>(j) - y);
            sum += weight * value_of(from, p, j, i);
            total += weight;
        }
    return sum / total;
}

double colour_of(const RandomPicture& from, const ColourOut& out, int colour, const double (&values)[3]) {
    double value = 0;
    for (int p = 0; p < from.picture.count; ++p)
        value += static_cast<double>(from.picture.to_colours[3 * colour + p]) * values[p];
    return value * out.gain + out.offset;
}

/// Where on a plane's grid a pixel's place is.
double on_grid(double at, int shift) {
    return (at + 0.5) / (1 << shift) - 0.5;
}

double patch_value(const ReadPatch& job, const RandomPicture& from, int colour, std::int64_t row, std::int64_t column) {
    double values[3] = {};
    for (int p = 0; p < job.picture.count; ++p)
        values[p] = read_plane(
            from, p, on_grid(static_cast<double>(job.area.x + column), from.shift_x(p)),
            on_grid(static_cast<double>(job.area.y + row), from.shift_y(p)), 1, 1,
            [](double x, double y) { return std::max(0.0, 1 - std::abs(x)) * std::max(0.0, 1 - std::abs(y)); });
    return colour_of(from, job.out, colour, values);
}

struct Expected {
    double value, error;
};

Expected crop_value(const FaceCrop& job, const RandomPicture& from, int colour, std::int64_t row, std::int64_t column) {
    const auto moved = [](const float(&m)[6], double x, double y) {
        return std::pair(m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5]);
    };
    auto [x, y] = moved(job.to_face, static_cast<double>(column), static_cast<double>(row));
    double largest = std::max({std::abs(x), std::abs(y), 100.0}), unsure = largest;
    if (job.nodes.values != nullptr) {
        const NodeGrid& grid = job.nodes;
        const double u = std::clamp((x - grid.x) * grid.scale, 0.0, grid.columns - 1.0);
        const double v = std::clamp((y - grid.y) * grid.scale, 0.0, grid.rows - 1.0);
        const auto i = std::min(static_cast<int>(u), grid.columns - 2),
                   j = std::min(static_cast<int>(v), grid.rows - 2);
        double by[2] = {};
        for (int c = 0; c < 2; ++c)
            for (int k = 0; k < 4; ++k)
                by[c] += (k % 2 == 0 ? 1 - (u - i) : u - i) * (k / 2 == 0 ? 1 - (v - j) : v - j) *
                         grid.values[4 * ((j + k / 2) * grid.columns + i + k % 2) + c];
        x += by[0], y += by[1];
        unsure *= 1 + 20 * grid.scale;  // displacements of up to 5 differ by 10 from node to node
    }
    const double magnified = std::abs(job.to_picture[0]) + std::abs(job.to_picture[1]);
    std::tie(x, y) = moved(job.to_picture, x, y);
    largest = std::max({largest, std::abs(x), std::abs(y)});
    unsure = kCropPlaceError * (unsure * magnified + largest);
    double values[3] = {}, error = kCropError * std::abs(job.out.gain);
    for (int p = 0; p < job.picture.count; ++p) {
        const double stretch_x = std::max(1.0, static_cast<double>(job.stretch) / (1 << from.shift_x(p)));
        const double stretch_y = std::max(1.0, static_cast<double>(job.stretch) / (1 << from.shift_y(p)));
        values[p] =
            read_plane(from, p, on_grid(x, from.shift_x(p)), on_grid(y, from.shift_y(p)), 2 * stretch_x, 2 * stretch_y,
                       [&](double dx, double dy) { return keys(dx / stretch_x) * keys(dy / stretch_y); });
        error += std::abs(job.picture.to_colours[3 * colour + p] * job.out.gain) * 5 * unsure;
    }
    return {colour_of(from, job.out, colour, values), error};
}

/// Memory for colours, with gaps between rows.
struct Out {
    Guarded memory;
    ColourOut colours;

    static Out random(Check& check, Type type, std::int64_t width, std::int64_t height) {
        const std::int64_t row = width + (check.chance(0.5) ? 0 : check.number(1, 20));
        const std::int64_t plane = height * row + (check.chance(0.8) ? 0 : check.number(1, 9));
        const std::int64_t count = width * height == 0 ? 0 : 2 * plane + (height - 1) * row + width;
        Out made{Guarded(static_cast<std::size_t>(count * size_of(type)), check.flush()), {}};
        made.colours = {made.memory.data(), type, plane, row};
        if (check.chance(0.5)) made.colours.gain = 2, made.colours.offset = -1;
        return made;
    }
    [[nodiscard]] double get(int colour, std::int64_t row, std::int64_t column) const {
        return value_at(memory.data(), colours.type, colour * colours.plane_stride + row * colours.row_stride + column);
    }
};

/// Runs a job for every variant, in two splits, and on CUDA; compares all of them with `first`.
template <class Job>
void compare_twins(Check& check, Job job, const RandomPicture& from, const Out& first, std::int64_t tasks,
                   void (*cpu)(const Job&, Tasks, Simd), void (*cuda)(const Job&, Stream)) {
    for (const Simd simd : variants()) {
        const Guarded other(first.memory.bytes(), check.flush());
        job.out.data = other.data();
        const std::int64_t cut = check.number(0, tasks);
        cpu(job, {cut, tasks}, simd);
        cpu(job, {0, cut}, simd);
        check.same(first.memory, other, omnisync::kernels::name(simd));
    }
    if (!device_absent().empty()) return;
    std::vector<DeviceMemory> planes;
    for (int p = 0; p < job.picture.count; ++p) {
        const Guarded& memory = from.memory[static_cast<std::size_t>(p)];
        planes.emplace_back(memory.bytes()).upload(memory.data(), memory.bytes());
        const auto* data = static_cast<const std::uint8_t*>(job.picture.planes[p].data);
        job.picture.planes[p].data = static_cast<std::uint8_t*>(planes.back().data()) + (data - memory.data());
        if (job.picture.bits > 8 && job.picture.planes[p].stride % 2 != 0) return;
    }
    std::vector<float> values(1);
    if constexpr (std::is_same_v<Job, FaceCrop>)
        if (job.nodes.values != nullptr)
            values.assign(job.nodes.values, job.nodes.values + 4 * job.nodes.rows * job.nodes.columns);
    DeviceMemory nodes(values.size() * 4);
    nodes.upload(values.data(), values.size() * 4);
    if constexpr (std::is_same_v<Job, FaceCrop>)
        if (job.nodes.values != nullptr) job.nodes.values = static_cast<const float*>(nodes.data());
    const Guarded got(first.memory.bytes(), Flush::end);
    DeviceMemory out(got.bytes());
    out.upload(got.data(), got.bytes());
    job.out.data = out.data();
    cuda(job, {});
    out.download(got.data(), got.bytes());
    check.same(first.memory, got, "CUDA");
}

/// Up to 60 pixels' colours.
void compare_values(Check& check, const Out& out, std::int64_t width, std::int64_t height,
                    const std::function<Expected(int, std::int64_t, std::int64_t)>& expected_at) {
    check.expect(out.memory.intact(), "wrote outside its output");
    for (std::int64_t i = 0; i < std::min<std::int64_t>(width * height, 60); ++i) {
        const std::int64_t at = width * height <= 60 ? i
                                : i == 0             ? width * height - 1
                                                     : check.number(0, width * height - 1);
        for (int c = 0; c < 3; ++c) {
            const Expected expected = expected_at(c, at / width, at % width);
            const double got = out.get(c, at / width, at % width);
            const double error = expected.error + rounding_of(out.colours.type) * std::abs(expected.value);
            check.expect(std::abs(got - expected.value) <= error, "colour ", c, " at ", at % width, " ", at / width,
                         " is ", got, ", expected ", expected.value, " within ", error);
        }
    }
}

void check_patch(Check& check, Type type, bool huge) {
    const auto width = static_cast<std::int32_t>(huge ? check.number(600, 2000) : check.size(1, 300));
    const auto height = static_cast<std::int32_t>(huge ? check.number(40, 200) : check.size(1, 60));
    const RandomPicture from = random_picture(check, width, height);
    ReadPatch job;
    job.picture = from.picture;
    job.area = random_area(check, from);
    const Out first = Out::random(check, type, job.area.width, job.area.height);
    job.out = first.colours;
    check.scene("read_patch ", name(type), ", ", width, " x ", height, ", area ", job.area.x, " ", job.area.y, " ",
                job.area.width, " ", job.area.height, ", bits ", job.picture.bits, ", planes ", job.picture.count,
                ", shifts ", job.picture.shift_x, " ", job.picture.shift_y);
    const std::int64_t tasks = read_patch_tasks(job);
    read_patch_cpu(job, {0, tasks}, Simd::plain);
    compare_values(check, first, job.area.width, job.area.height,
                   [&](int c, std::int64_t row, std::int64_t column) -> Expected {
                       return {patch_value(job, from, c, row, column), kCropError * job.out.gain};
                   });
    compare_twins<ReadPatch>(check, job, from, first, tasks, read_patch_cpu, read_patch_cuda);
}

void check_crop(Check& check, Type type, bool huge) {
    const auto width = static_cast<std::int32_t>(check.size(1, 400)),
               height = static_cast<std::int32_t>(check.size(1, 300));
    const RandomPicture from = random_picture(check, width, height);
    FaceCrop job;
    job.picture = from.picture;
    job.width = static_cast<std::int32_t>(huge ? check.number(150, 300) : check.size(0, 60));
    job.height = static_cast<std::int32_t>(huge ? check.number(50, 100) : check.size(0, 40));
    const auto similarity = [&](float(&map)[6], double scale, double x, double y) {
        const double turn = check.chance(0.3) ? 0 : static_cast<double>(check.number(-400, 400)) / 100;
        const double a = scale * std::cos(turn), b = scale * std::sin(turn);
        const double values[6] = {a, -b, x, b, a, y};
        std::copy_n(values, 6, map);
    };
    similarity(job.to_face, static_cast<double>(check.number(50, 200)) / 100, check.number(-20, 20),
               check.number(-20, 20));
    similarity(job.to_picture, std::exp2(static_cast<double>(check.number(-100, 300)) / 100), check.number(-20, width),
               check.number(-20, height));
    job.stretch = check.chance(0.7) ? stretch_of(job) : 1;
    std::vector<float> nodes;
    if (check.chance(0.5)) {
        job.nodes.rows = static_cast<std::int32_t>(check.number(2, 12));
        job.nodes.columns = static_cast<std::int32_t>(check.number(2, 12));
        job.nodes.x = job.nodes.y = static_cast<float>(check.number(-10, 10));
        job.nodes.scale = check.chance(0.5) ? 0.25F : 0.5F;
        for (int i = 0; i < 4 * job.nodes.rows * job.nodes.columns; ++i)
            nodes.push_back(static_cast<float>(check.number(-500, 500)) / 100);
        job.nodes.values = nodes.data();
    }
    const Out first = Out::random(check, type, job.width, job.height);
    job.out = first.colours;
    check.scene("face_crop ", name(type), ", ", job.width, " x ", job.height, " of ", width, " x ", height,
                ", stretch ", job.stretch, nodes.empty() ? "" : ", nodes", ", bits ", job.picture.bits, ", planes ",
                job.picture.count, ", shifts ", job.picture.shift_x, " ", job.picture.shift_y);
    const std::int64_t tasks = face_crop_tasks(job);
    face_crop_cpu(job, {0, tasks}, Simd::plain);
    compare_values(check, first, job.width, job.height,
                   [&](int c, std::int64_t row, std::int64_t column) { return crop_value(job, from, c, row, column); });
    compare_twins<FaceCrop>(check, job, from, first, tasks, face_crop_cpu, face_crop_cuda);
}

}  // namespace

void check_face_crop(Check& check) {
    for (const Type type : {Type::f32, Type::bf16})
        for (int i = 0; i < check.options().shapes; ++i) {
            check_patch(check, type, i % 50 == 49);
            check_crop(check, type, i % 50 == 49);
        }
}

}  // namespace kernelcheck
