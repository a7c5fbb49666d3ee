// Reading between samples, for the CPU and the device alike, to the same bits (without contraction): four numbers at
// once, cubic convolution, grids of nodes.
#pragma once

#include <cstdint>

#include "kernels/target.h"

namespace omnisync::kernels {

/// Numbers on a grid of nodes, `kWidth` = 4 a node: [rows][columns][4], at least 2 x 2. Node (0, 0) lies at (x, y), the
/// next ones 1 / scale further. Between them values are bilinear, beyond them those of the edge.
struct NodeGrid {
    const float* values = nullptr;
    std::int32_t rows = 0;
    std::int32_t columns = 0;
    float x = 0;
    float y = 0;
    float scale = 1;
};

namespace sampling {

#ifdef __CUDACC__
struct Four {
    float v[4];
    OMNISYNC_HD float operator[](int i) const { return v[i]; }
    OMNISYNC_HD float& operator[](int i) { return v[i]; }
};
OMNISYNC_HD Four operator+(Four a, Four b) {
    return {a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3]};
}
OMNISYNC_HD Four operator-(Four a, Four b) {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2], a[3] - b[3]};
}
OMNISYNC_HD Four operator*(Four a, Four b) {
    return {a[0] * b[0], a[1] * b[1], a[2] * b[2], a[3] * b[3]};
}
/// The sums of a, of b and of c, each (0 + 2) + (1 + 3), and 0.
OMNISYNC_HD Four sums(Four a, Four b, Four c) {
    return {(a[0] + a[2]) + (a[1] + a[3]), (b[0] + b[2]) + (b[1] + b[3]), (c[0] + c[2]) + (c[1] + c[3]), 0.0F};
}
OMNISYNC_HD Four load(const float* from) {
    return {from[0], from[1], from[2], from[3]};
}
#else
using Four = float __attribute__((vector_size(16)));

OMNISYNC_HD Four sums(Four a, Four b, Four c) {
    const Four none{};
    const Four ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
    const Four c0 = __builtin_shufflevector(c, none, 0, 4, 1, 5) + __builtin_shufflevector(c, none, 2, 6, 3, 7);
    return __builtin_shufflevector(ab, c0, 0, 1, 4, 5) + __builtin_shufflevector(ab, c0, 2, 3, 6, 7);
}
OMNISYNC_HD Four load(const float* from) {
    Four four;
    __builtin_memcpy(&four, from, sizeof four);
    return four;
}
#endif

OMNISYNC_HD Four all(float value) {
    return Four{value, value, value, value};
}

/// Between low and high; low if it is no number.
OMNISYNC_HD float bounded(float value, float low, float high) {
    return value > low ? (value < high ? value : high) : low;
}
OMNISYNC_HD std::int32_t bounded(std::int32_t value, std::int32_t low, std::int32_t high) {
    return value > low ? (value < high ? value : high) : low;
}

/// The whole number at or below x, |x| < 2^31.
OMNISYNC_HD std::int32_t floor(float x) {
    const auto whole = static_cast<std::int32_t>(x);
    return whole - (static_cast<float>(whole) > x ? 1 : 0);
}

/// Keys' cubic convolution with a = -0.75, as ATen's bicubic sampling has it.
inline constexpr float kKeys = -0.75F;

/// Weights of the four samples about a place `t` behind the second: polynomials of t.
OMNISYNC_HD Four cubic(float t) {
    constexpr float a = kKeys;
    const Four c3{a, a + 2, -(a + 2), -a}, c2{-2 * a, -(a + 3), 2 * a + 3, a}, c1{a, 0, -a, 0}, c0{0, 1, 0, 0};
    const Four at = all(t);
    return ((c3 * at + c2) * at + c1) * at + c0;
}

/// The same kernel's weight of a sample at a distance.
OMNISYNC_HD float cubic_at(float distance) {
    constexpr float a = kKeys;
    const float d = distance < 0.0F ? -distance : distance;
    const float near = ((a + 2) * d - (a + 3)) * d * d + 1;
    const float far = ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
    return d < 1.0F ? near : d < 2.0F ? far : 0.0F;
}

/// The values of the nodes about (x, y).
OMNISYNC_HD Four read_nodes(const NodeGrid& grid, float x, float y) {
    const float u = bounded((x - grid.x) * grid.scale, 0.0F, static_cast<float>(grid.columns - 1));
    const float v = bounded((y - grid.y) * grid.scale, 0.0F, static_cast<float>(grid.rows - 1));
    const std::int32_t i = bounded(static_cast<std::int32_t>(u), 0, grid.columns - 2);
    const std::int32_t j = bounded(static_cast<std::int32_t>(v), 0, grid.rows - 2);
    const Four s = all(u - static_cast<float>(i));
    const Four t = all(v - static_cast<float>(j));
    const float* const at = grid.values + 4 * (std::int64_t{j} * grid.columns + i);
    const float* const next = at + 4 * std::int64_t{grid.columns};
    const Four above = load(at) + (load(at + 4) - load(at)) * s;
    const Four below = load(next) + (load(next + 4) - load(next)) * s;
    return above + (below - above) * t;
}

}  // namespace sampling
}  // namespace omnisync::kernels
