#include "compositing/draw_proposal.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "geometry/lower_face.h"

namespace omnisync::compositing {
namespace {

using Four = float __attribute__((vector_size(16)));

Four all(float value) {
    return Four{value, value, value, value};
}

/// Rows of four floats.
struct Fours {
    at::Tensor values;  // [rows, columns, 4], contiguous
    const Four* data = nullptr;
    std::int64_t rows = 0, columns = 0;

    explicit Fours(const at::Tensor& from) : values(from.contiguous()), rows(from.size(0)), columns(from.size(1)) {
        data = reinterpret_cast<const Four*>(values.const_data_ptr<float>());
    }
};

/// Values on nodes over the region, read between them.
struct Nodes : Fours {
    float scale;
    Nodes(const at::Tensor& from, int step) : Fours(from), scale(1.F / static_cast<float>(step)) {}

    [[nodiscard]] Four operator()(float x, float y) const {
        const float u = std::clamp((x - geometry::kRegionX) * scale, 0.F, static_cast<float>(columns - 1));
        const float v = std::clamp((y - geometry::kRegionY) * scale, 0.F, static_cast<float>(rows - 1));
        const std::int64_t i = std::min(static_cast<std::int64_t>(u), columns - 2);
        const std::int64_t j = std::min(static_cast<std::int64_t>(v), rows - 2);
        const Four s = all(u - static_cast<float>(i));
        const Four t = all(v - static_cast<float>(j));
        const Four* const at = data + j * columns + i;
        const Four above = at[0] + (at[1] - at[0]) * s;
        const Four below = at[columns] + (at[columns + 1] - at[columns]) * s;
        return above + (below - above) * t;
    }
};

/// Keys' cubic convolution with a = -0.75, as ATen's bicubic sampling has it: weights of the four pixels about `t`.
void cubic_weights(float t, float weights[4]) {
    constexpr float a = -0.75F;
    const auto near = [](float d) { return ((a + 2) * d - (a + 3)) * d * d + 1; };
    const auto far = [](float d) { return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a; };
    weights[0] = far(1 + t);
    weights[1] = near(t);
    weights[2] = near(1 - t);
    weights[3] = far(2 - t);
}

/// A picture seen at canonical places, R, G, B and nothing.
struct Picture : Fours {
    float to[6];
    explicit Picture(const FacePictures& pictures)
        : Fours(at::constant_pad_nd(pictures.pixels[0].permute({1, 2, 0}), {0, 1})) {
        const at::Tensor map = pictures.to_pixels.contiguous();
        std::copy_n(map.const_data_ptr<float>(), 6, to);
    }
    [[nodiscard]] Four operator()(float cx, float cy) const {
        // Two pixels beyond an edge all four neighbours are the last one; nearer to it they are not yet.
        const float x = std::clamp(to[0] * cx + to[1] * cy + to[2], -2.F, static_cast<float>(columns + 1));
        const float y = std::clamp(to[3] * cx + to[4] * cy + to[5], -2.F, static_cast<float>(rows + 1));
        const float left = std::floor(x);
        const float top = std::floor(y);
        float across[4], down[4];
        cubic_weights(x - left, across);
        cubic_weights(y - top, down);
        std::int64_t column[4];
        for (int k = 0; k < 4; ++k)
            column[k] = std::clamp<std::int64_t>(static_cast<std::int64_t>(left) - 1 + k, 0, columns - 1);
        Four sum = all(0);
        for (int j = 0; j < 4; ++j) {
            const Four* const row =
                data + std::clamp<std::int64_t>(static_cast<std::int64_t>(top) - 1 + j, 0, rows - 1) * columns;
            const Four line = row[column[0]] * all(across[0]) + row[column[1]] * all(across[1]) +
                              row[column[2]] * all(across[2]) + row[column[3]] * all(across[3]);
            sum += line * all(down[j]);
        }
        return sum;
    }
};

/// What is faded to.
struct Other {
    Nodes warp;
    Picture picture;
    Four share;
    Other(const Fade& fade, const at::Tensor& target)
        : warp(at::constant_pad_nd(geometry::warp_nodes(target, fade.to->landmarks)[0], {0, 2}), geometry::kWarpStep),
          picture(*fade.to),
          share(all(fade.share)) {}
    [[nodiscard]] Four at(float cx, float cy) const {
        const Four by = warp(cx, cy);
        return picture(cx + by[0], cy + by[1]);
    }
};

/// What the first pass finds of a pixel.
struct Seen {
    Four source, exemplar;
    float mouth;
};

}  // namespace

DrawnProposal draw_proposal(const FacePictures& source, const FacePictures& exemplar, const at::Tensor& target,
                            const Affine& to_canonical, const Area& area, const Fade& fade) {
    const Affine& to = to_canonical;
    const double dx = to.xx * area.x + to.xy * area.y + to.dx;  // where the area begins
    const double dy = to.yx * area.x + to.yy * area.y + to.dy;
    const Nodes warps(at::cat({geometry::warp_nodes(target, source.landmarks)[0],
                               geometry::warp_nodes(target, exemplar.landmarks)[0]},
                              2),
                      geometry::kWarpStep);
    const Nodes mattes(
        at::constant_pad_nd(geometry::matte_nodes(target, source.landmarks)[0].permute({1, 2, 0}), {0, 1}),
        geometry::kMatteStep);
    const Picture frame(source);
    const Picture lent(exemplar);
    std::optional<Other> other;
    if (fade.to != nullptr && fade.share > 0) other.emplace(fade, target);

    const std::int64_t pixels = std::int64_t{area.height} * area.width;
    DrawnProposal drawn{at::zeros({3, area.height, area.width}), at::zeros({area.height, area.width})};
    float* const edit = drawn.edit.mutable_data_ptr<float>();
    std::vector<Seen> seen(static_cast<std::size_t>(pixels));
    Four difference = all(0);
    float weight = 0;
    for (int y = 0; y < area.height; ++y)
        for (int x = 0; x < area.width; ++x) {
            const std::int64_t i = std::int64_t{y} * area.width + x;
            const auto cx = static_cast<float>(to.xx * x + to.xy * y + dx);
            const auto cy = static_cast<float>(to.yx * x + to.yy * y + dy);
            const Four matte = mattes(cx, cy);  // mouth, ring, edit
            edit[i] = matte[2];
            if (matte[0] <= 0 && matte[1] <= 0 && matte[2] <= 0) continue;
            const Four by = warps(cx, cy);
            Seen& one = seen[static_cast<std::size_t>(i)];
            one.source = frame(cx + by[0], cy + by[1]);
            one.mouth = matte[0];
            if (matte[0] <= 0 && matte[1] <= 0) continue;
            one.exemplar = lent(cx + by[2], cy + by[3]);
            if (other) one.exemplar += (other->at(cx, cy) - one.exemplar) * other->share;
            difference += (one.source - one.exemplar) * all(matte[1]);
            weight += matte[1];
        }
    const Four shade = difference / all(std::max(weight, 1e-3F));
    float* const red = drawn.pixels.mutable_data_ptr<float>();
    float* const green = red + pixels;
    float* const blue = green + pixels;
    for (std::int64_t i = 0; i < pixels; ++i) {
        if (edit[i] <= 0) continue;
        const Seen& one = seen[static_cast<std::size_t>(i)];
        Four made = one.source;
        if (one.mouth > 0) made += (one.exemplar + shade - one.source) * all(one.mouth);
        red[i] = made[0], green[i] = made[1], blue[i] = made[2];
    }
    return drawn;
}

}  // namespace omnisync::compositing
