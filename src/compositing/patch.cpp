#include "compositing/patch.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "compositing/transfer.h"
#include "omnisync/error.h"

namespace omnisync::compositing {
namespace {

constexpr int kHdRows = 720;

/// H.273 matrix coefficients: the weights of red and blue in luma.
struct Weights {
    double red, blue;
};
Weights weights_of(const Colour& colour, int rows) {
    switch (colour.matrix) {
        case 1:
            return {0.2126, 0.0722};
        case 4:
            return {0.30, 0.11};
        case 5:
        case 6:
            return {0.299, 0.114};
        case 7:
            return {0.212, 0.087};
        case 9:
        case 10:
            return {0.2627, 0.0593};
        default:
            return rows >= kHdRows ? Weights{0.2126, 0.0722} : Weights{0.299, 0.114};
    }
}

/// [3, 3]: R'G'B' to Y' and colour differences of -0.5 .. 0.5.
at::Tensor matrix_to_yuv(const Colour& colour, int rows) {
    const auto [red, blue] = weights_of(colour, rows);
    const double green = 1 - red - blue;
    const double u = 2 * (1 - blue), v = 2 * (1 - red);
    return at::tensor({red, green, blue, -red / u, -green / u, (1 - blue) / u, (1 - red) / v, -green / v, -blue / v},
                      at::kDouble)
        .view({3, 3})
        .to(at::kFloat);
}

/// stored = value * scale + zero.
struct Coding {
    double scale, zero;
};
Coding coding(const PixelFormat& format, const Colour& colour, bool chroma) {
    const double unit = static_cast<double>(1 << (format.bits - 8));
    const double top = static_cast<double>((1 << format.bits) - 1);
    const double middle = 128 * unit;
    const bool full = colour.range == Colour::Range::full || format.model == ColourModel::rgb;
    if (full) return {top, chroma ? middle : 0};
    return chroma ? Coding{224 * unit, middle} : Coding{219 * unit, 16 * unit};
}

bool is_chroma(const Frame& frame, int plane) {
    return frame.format.model == ColourModel::yuv && (plane == 1 || plane == 2);
}

struct PlaneArea {
    int x, y, width, height;
};
PlaneArea in_plane(const Frame& frame, const Area& area, int plane) {
    const int sx = is_chroma(frame, plane) ? frame.format.chroma_shift_x : 0;
    const int sy = is_chroma(frame, plane) ? frame.format.chroma_shift_y : 0;
    const Plane& samples = frame.planes[static_cast<std::size_t>(plane)];
    const int x = area.x >> sx;
    const int y = area.y >> sy;
    return {x, y, std::min((area.width + (1 << sx) - 1) >> sx, samples.width - x),
            std::min((area.height + (1 << sy) - 1) >> sy, samples.height - y)};
}

/// Samples as they are stored, [height, width] float32.
at::Tensor read_plane(const Frame& frame, const Area& area, int plane) {
    const PlaneArea at_plane = in_plane(frame, area, plane);
    const Plane& from = frame.planes[static_cast<std::size_t>(plane)];
    const at::Tensor out = at::empty({at_plane.height, at_plane.width}, at::kFloat);
    float* to = out.mutable_data_ptr<float>();
    for (int y = 0; y < at_plane.height; ++y) {
        const std::uint8_t* row = from.data + (at_plane.y + y) * from.stride;
        for (int x = 0; x < at_plane.width; ++x) {
            if (frame.format.bits == 8) {
                *to++ = row[at_plane.x + x];
            } else {
                std::uint16_t sample = 0;
                std::memcpy(&sample, row + 2 * (at_plane.x + x), 2);
                *to++ = sample;
            }
        }
    }
    return out;
}

/// Adds `difference` (in stored units) to the samples where `touched` is above 0.
void add_to_plane(const Frame& frame, const Area& area, int plane, const at::Tensor& difference,
                  const at::Tensor& touched) {
    const PlaneArea at_plane = in_plane(frame, area, plane);
    const Plane& into = frame.planes[static_cast<std::size_t>(plane)];
    const at::Tensor change = difference.contiguous();
    const at::Tensor where = touched.contiguous();
    const float* add = change.const_data_ptr<float>();
    const float* weight = where.const_data_ptr<float>();
    const auto top = static_cast<float>((1 << frame.format.bits) - 1);
    for (int y = 0; y < at_plane.height; ++y) {
        std::uint8_t* row = into.data + (at_plane.y + y) * into.stride;
        for (int x = 0; x < at_plane.width; ++x, ++add, ++weight) {
            if (*weight <= 0 || !std::isfinite(*add)) continue;
            if (frame.format.bits == 8) {
                std::uint8_t& sample = row[at_plane.x + x];
                sample =
                    static_cast<std::uint8_t>(std::lround(std::clamp(static_cast<float>(sample) + *add, 0.F, top)));
            } else {
                std::uint8_t* const place = row + 2 * (at_plane.x + x);
                std::uint16_t sample = 0;
                std::memcpy(&sample, place, 2);
                sample =
                    static_cast<std::uint16_t>(std::lround(std::clamp(static_cast<float>(sample) + *add, 0.F, top)));
                std::memcpy(place, &sample, 2);
            }
        }
    }
}

at::Tensor stretch(const at::Tensor& plane, std::int64_t rows, std::int64_t columns) {
    if (plane.size(0) == rows && plane.size(1) == columns) return plane;
    return at::upsample_bilinear2d(plane.unsqueeze(0).unsqueeze(0), {rows, columns}, false)[0][0];
}

/// Mean (or greatest) of the samples that a chroma sample stands for.
at::Tensor shrink(const at::Tensor& plane, const PixelFormat& format, bool greatest) {
    const std::vector<std::int64_t> block{1 << format.chroma_shift_y, 1 << format.chroma_shift_x};
    if (block[0] == 1 && block[1] == 1) return plane;
    const at::Tensor one = plane.unsqueeze(0);
    return (greatest ? at::max_pool2d(one, block, block, {0, 0}, {1, 1}, true)
                     : at::avg_pool2d(one, block, block, {0, 0}, true, false))[0];
}

at::Tensor apply(const at::Tensor& matrix, const at::Tensor& pixels) {  // [3, 3], [3, h, w]
    return at::matmul(matrix, pixels.flatten(1)).view(pixels.sizes());
}

}  // namespace

at::Tensor points_of(const Affine& map, const Area& area) {
    const auto grids = at::meshgrid(
        {at::arange(area.height, at::kDouble) + area.y, at::arange(area.width, at::kDouble) + area.x}, "ij");
    return at::stack({grids[1] * map.xx + grids[0] * map.xy + map.dx, grids[1] * map.yx + grids[0] * map.yy + map.dy},
                     -1)
        .to(at::kFloat);
}

bool can_edit(const PixelFormat& format) {
    return format.planar && format.bits >= 8 && format.bits <= 16 && format.model != ColourModel::other;
}

Area area_around(const Frame& frame, double x0, double y0, double x1, double y1) {
    const int block_x = 1 << frame.format.chroma_shift_x;
    const int block_y = 1 << frame.format.chroma_shift_y;
    const auto low = [](double v, int block, int side) {
        return static_cast<int>(std::floor(std::clamp(v, 0.0, static_cast<double>(side)) / block)) * block;
    };
    const auto high = [](double v, int block, int side) {
        return std::min(side,
                        static_cast<int>(std::ceil(std::clamp(v + 1, 0.0, static_cast<double>(side)) / block)) * block);
    };
    if (std::max(x0, x1) < 0 || std::max(y0, y1) < 0 || std::min(x0, x1) > frame.width - 1 ||
        std::min(y0, y1) > frame.height - 1)
        return {};
    const int left = low(std::min(x0, x1), block_x, frame.width);
    const int top = low(std::min(y0, y1), block_y, frame.height);
    const int right = high(std::max(x0, x1), block_x, frame.width);
    const int bottom = high(std::max(y0, y1), block_y, frame.height);
    if (right <= left || bottom <= top) return {};
    return {left, top, right - left, bottom - top};
}

at::Tensor read_patch(const Frame& frame, const Colour& colour, const Area& area) {
    require(can_edit(frame.format), ExitCode::bad_data, "pictures of format ", frame.format.name, " cannot be edited");
    const auto value = [&](int plane) {
        const Coding how = coding(frame.format, colour, is_chroma(frame, plane));
        return stretch((read_plane(frame, area, plane) - how.zero) / how.scale, area.height, area.width);
    };
    if (frame.format.model == ColourModel::grey) return value(0).unsqueeze(0).expand({3, -1, -1}).contiguous();
    if (frame.format.model == ColourModel::rgb) return at::stack({value(2), value(0), value(1)});  // planes: G, B, R
    const at::Tensor yuv = at::stack({value(0), value(1), value(2)});
    return apply(at::linalg_inv(matrix_to_yuv(colour, frame.height)), yuv);
}

Frame copy_pixels(const Frame& frame) {
    Frame copy = frame;
    // Encoders' vector code reads whole vectors beyond a row's end; what it finds there must be the same every time.
    constexpr std::size_t kVector = 64;
    std::size_t bytes = 2 * kVector;
    const auto row_bytes = [&](const Plane& plane) {
        return static_cast<std::size_t>(plane.width) * (frame.format.bits > 8 ? 2U : 1U);
    };
    const auto stride_of = [&](const Plane& plane) { return (row_bytes(plane) + kVector - 1) / kVector * kVector; };
    for (int i = 0; i < frame.plane_count; ++i)
        bytes += stride_of(frame.planes[static_cast<std::size_t>(i)]) *
                 static_cast<std::size_t>(frame.planes[static_cast<std::size_t>(i)].height);
    const auto pixels = std::make_shared<std::vector<std::uint8_t>>(bytes);
    std::uint8_t* to = pixels->data();
    to += (kVector - reinterpret_cast<std::uintptr_t>(to) % kVector) % kVector;
    for (int i = 0; i < frame.plane_count; ++i) {
        const Plane& from = frame.planes[static_cast<std::size_t>(i)];
        Plane& plane = copy.planes[static_cast<std::size_t>(i)];
        plane.data = to;
        plane.stride = static_cast<std::ptrdiff_t>(stride_of(from));
        for (int y = 0; y < from.height; ++y, to += plane.stride)
            std::memcpy(to, from.data + y * from.stride, row_bytes(from));
    }
    copy.owner = pixels;
    return copy;
}

void blend_patch(const Frame& frame, const Colour& colour, const Area& area, const at::Tensor& before,
                 const at::Tensor& made, const at::Tensor& weight) {
    // What the clamp to 0 .. 1 takes from `before` alone is no difference.
    const at::Tensor share = weight.flatten();
    const at::Tensor old = before.clamp(0, 1).flatten(1);
    const at::Tensor change = ((made.clamp(0, 1).flatten(1) - old) * (share >= 1)).contiguous();
    const at::Tensor feather = at::nonzero((share > 0) * (share < 1)).select(1, 0);
    const at::Tensor old_light = to_light(old.index_select(1, feather), colour.transfer);
    const at::Tensor new_light = to_light(made.flatten(1).index_select(1, feather), colour.transfer);
    const at::Tensor mixed = old_light + (new_light - old_light) * share.index_select(0, feather);
    change.index_copy_(1, feather, to_coded(mixed, colour.transfer) - to_coded(old_light, colour.transfer));
    const at::Tensor difference = change.view(before.sizes());
    const auto scale = [&](int plane) { return coding(frame.format, colour, is_chroma(frame, plane)).scale; };
    if (frame.format.model == ColourModel::rgb) {
        const int component[3] = {1, 2, 0};
        for (int plane = 0; plane < 3; ++plane)
            add_to_plane(frame, area, plane, difference[component[plane]] * scale(plane), weight);
        return;
    }
    const at::Tensor yuv = apply(matrix_to_yuv(colour, frame.height), difference);
    add_to_plane(frame, area, 0, yuv[0] * scale(0), weight);
    if (frame.format.model == ColourModel::grey) return;
    const at::Tensor touched = shrink(weight.unsqueeze(0), frame.format, true)[0];
    for (int plane = 1; plane < 3; ++plane)
        add_to_plane(frame, area, plane, shrink(yuv.narrow(0, plane, 1), frame.format, false)[0] * scale(plane),
                     touched);
}

}  // namespace omnisync::compositing
