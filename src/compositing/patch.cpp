#include "compositing/patch.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "kernels/face_crop.h"
#include "kernels/paste.h"
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

using Matrix = double[9];

/// R'G'B' to Y' and colour differences of -0.5 .. 0.5, and back.
void set_matrices(const Weights& weights, kernels::StoredPicture& picture) {
    const auto [red, blue] = weights;
    const double green = 1 - red - blue;
    const double u = 2 * (1 - blue), v = 2 * (1 - red);
    const Matrix to = {red, green, blue, -red / u, -green / u, (1 - blue) / u, (1 - red) / v, -green / v, -blue / v};
    const Matrix from = {1, 0, v, 1, -u * blue / green, -v * red / green, 1, u, 0};
    std::copy_n(to, 9, picture.to_planes);
    std::copy_n(from, 9, picture.to_colours);
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

/// A frame as kernels know it.
kernels::StoredPicture stored(const Frame& frame, const Colour& colour) {
    const bool yuv = frame.format.model == ColourModel::yuv;
    kernels::StoredPicture picture;
    picture.count = frame.format.model == ColourModel::grey ? 1 : 3;
    picture.bits = frame.format.bits;
    picture.shift_x = yuv ? frame.format.chroma_shift_x : 0;
    picture.shift_y = yuv ? frame.format.chroma_shift_y : 0;
    for (int p = 0; p < picture.count; ++p) {
        const Plane& plane = frame.planes[static_cast<std::size_t>(p)];
        const auto [scale, zero] = coding(frame.format, colour, yuv && p > 0);
        picture.planes[p] = {
            plane.data, plane.stride, plane.width, plane.height, static_cast<float>(scale), static_cast<float>(zero)};
    }
    set_matrices(weights_of(colour, frame.height), picture);
    if (frame.format.model != ColourModel::rgb) return picture;
    const Matrix to = {0, 1, 0, 0, 0, 1, 1, 0, 0}, from = {0, 0, 1, 1, 0, 0, 0, 1, 0};  // planes: G, B, R
    std::copy_n(to, 9, picture.to_planes);
    std::copy_n(from, 9, picture.to_colours);
    return picture;
}

kernels::Curve curve_of(const Colour& colour) {
    constexpr int kLinear = 8, kPq = 16, kHlg = 18;
    return colour.transfer == kLinear ? kernels::Curve::linear
           : colour.transfer == kPq   ? kernels::Curve::pq
           : colour.transfer == kHlg  ? kernels::Curve::hlg
                                      : kernels::Curve::gamma;
}

/// Columns adjacent, as kernels need them.
at::Tensor in_rows(const at::Tensor& tensor) {
    return tensor.stride(-1) == 1 ? tensor : tensor.contiguous();
}
kernels::ColourPlanes planes_of(const at::Tensor& colours) {
    return {colours.const_data_ptr<float>(), kernels::Type::f32, colours.stride(0), colours.stride(1)};
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
    const at::Tensor out = at::empty({3, area.height, area.width});
    kernels::ReadPatch job;
    job.picture = stored(frame, colour);
    job.area = {area.x, area.y, area.width, area.height};
    job.out = {out.mutable_data_ptr<float>(), kernels::Type::f32, out.stride(0), out.stride(1)};
    kernels::read_patch_cpu(job, {0, kernels::read_patch_tasks(job)});
    return out;
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
    const at::Tensor old = in_rows(before), now = in_rows(made), share = in_rows(weight);
    kernels::Paste job;
    job.picture = stored(frame, colour);
    job.area = {area.x, area.y, area.width, area.height};
    job.before = planes_of(old);
    job.made = planes_of(now);
    job.weight = share.const_data_ptr<float>();
    job.weight_stride = share.stride(0);
    job.curve = curve_of(colour);
    kernels::paste_cpu(job, {0, kernels::paste_tasks(job)});
}

}  // namespace omnisync::compositing
