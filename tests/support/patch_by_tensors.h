// What compositing/patch.h does, by tensor operations: slow and easy to read. Tests compare with it, benchmarks measure
// against it. Its tables of colours are its own on purpose: a wrong number in the other's shows.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/nonzero.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/upsample_bilinear2d.h>
#include <ATen/ops/where.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "compositing/patch.h"

namespace omnisync::by_tensors {

using compositing::Area;

inline constexpr int kLinear = 8;
inline constexpr int kPq = 16;
inline constexpr int kHlg = 18;
inline constexpr double kGamma = 2.4;

// SMPTE ST 2084, equations 4.1 and 5.1.
inline constexpr double kM1 = 2610.0 / 16384, kM2 = 2523.0 / 4096 * 128;
inline constexpr double kC1 = 3424.0 / 4096, kC2 = 2413.0 / 4096 * 32, kC3 = 2392.0 / 4096 * 32;

// ITU-R BT.2100, table 5.
inline constexpr double kA = 0.17883277, kB = 1 - 4 * kA, kC = 0.55991073;

inline at::Tensor to_light(const at::Tensor& coded, int transfer) {
    const at::Tensor v = coded.clamp(0, 1);
    switch (transfer) {
        case kLinear:
            return v;
        case kPq: {
            const at::Tensor p = v.pow(1 / kM2);
            return ((p - kC1).clamp_min(0) / (kC2 - kC3 * p)).pow(1 / kM1);
        }
        case kHlg:
            return at::where(v <= 0.5, v.square() / 3, (((v - kC) / kA).exp() + kB) / 12);
        default:
            return v.pow(kGamma);
    }
}

inline at::Tensor to_coded(const at::Tensor& light, int transfer) {
    const at::Tensor l = light.clamp(0, 1);
    switch (transfer) {
        case kLinear:
            return l;
        case kPq: {
            const at::Tensor p = l.pow(kM1);
            return ((kC1 + kC2 * p) / (1 + kC3 * p)).pow(kM2);
        }
        case kHlg:
            return at::where(l <= 1.0 / 12, (l * 3).sqrt(), kA * (l * 12 - kB).clamp_min(1e-9).log() + kC);
        default:
            return l.pow(1 / kGamma);
    }
}

inline constexpr int kHdRows = 720;

/// H.273 matrix coefficients: the weights of red and blue in luma.
struct Weights {
    double red, blue;
};
inline Weights weights_of(const Colour& colour, int rows) {
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
inline at::Tensor matrix_to_yuv(const Colour& colour, int rows) {
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
inline Coding coding(const PixelFormat& format, const Colour& colour, bool chroma) {
    const double unit = static_cast<double>(1 << (format.bits - 8));
    const double top = static_cast<double>((1 << format.bits) - 1);
    const double middle = 128 * unit;
    const bool full = colour.range == Colour::Range::full || format.model == ColourModel::rgb;
    if (full) return {top, chroma ? middle : 0};
    return chroma ? Coding{224 * unit, middle} : Coding{219 * unit, 16 * unit};
}

inline bool is_chroma(const Frame& frame, int plane) {
    return frame.format.model == ColourModel::yuv && (plane == 1 || plane == 2);
}

struct PlaneArea {
    int x, y, width, height;
};
inline PlaneArea in_plane(const Frame& frame, const Area& area, int plane) {
    const int sx = is_chroma(frame, plane) ? frame.format.chroma_shift_x : 0;
    const int sy = is_chroma(frame, plane) ? frame.format.chroma_shift_y : 0;
    const Plane& samples = frame.planes[static_cast<std::size_t>(plane)];
    const int x = area.x >> sx;
    const int y = area.y >> sy;
    return {x, y, std::min((area.width + (1 << sx) - 1) >> sx, samples.width - x),
            std::min((area.height + (1 << sy) - 1) >> sy, samples.height - y)};
}

/// Samples as they are stored, [height, width] float32.
inline at::Tensor read_plane(const Frame& frame, const Area& area, int plane) {
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
inline void add_to_plane(const Frame& frame, const Area& area, int plane, const at::Tensor& difference,
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

inline at::Tensor stretch(const at::Tensor& plane, std::int64_t rows, std::int64_t columns) {
    if (plane.size(0) == rows && plane.size(1) == columns) return plane;
    return at::upsample_bilinear2d(plane.unsqueeze(0).unsqueeze(0), {rows, columns}, false)[0][0];
}

/// Mean (or greatest) of the samples that a chroma sample stands for.
inline at::Tensor shrink(const at::Tensor& plane, const PixelFormat& format, bool greatest) {
    const std::vector<std::int64_t> block{1 << format.chroma_shift_y, 1 << format.chroma_shift_x};
    if (block[0] == 1 && block[1] == 1) return plane;
    const at::Tensor one = plane.unsqueeze(0);
    return (greatest ? at::max_pool2d(one, block, block, {0, 0}, {1, 1}, true)
                     : at::avg_pool2d(one, block, block, {0, 0}, true, false))[0];
}

inline at::Tensor apply(const at::Tensor& matrix, const at::Tensor& pixels) {  // [3, 3], [3, h, w]
    return at::matmul(matrix, pixels.flatten(1)).view(pixels.sizes());
}

inline at::Tensor read_patch(const Frame& frame, const Colour& colour, const Area& area) {
    const auto value = [&](int plane) {
        const Coding how = coding(frame.format, colour, is_chroma(frame, plane));
        return stretch((read_plane(frame, area, plane) - how.zero) / how.scale, area.height, area.width);
    };
    if (frame.format.model == ColourModel::grey) return value(0).unsqueeze(0).expand({3, -1, -1}).contiguous();
    if (frame.format.model == ColourModel::rgb) return at::stack({value(2), value(0), value(1)});  // planes: G, B, R
    const at::Tensor yuv = at::stack({value(0), value(1), value(2)});
    return apply(at::linalg_inv(matrix_to_yuv(colour, frame.height)), yuv);
}

inline void blend_patch(const Frame& frame, const Colour& colour, const Area& area, const at::Tensor& before,
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

}  // namespace omnisync::by_tensors
