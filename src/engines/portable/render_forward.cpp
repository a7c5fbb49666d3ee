#include "engines/portable/render_forward.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <array>

#include "geometry/lower_face.h"

namespace omnisync::portable {
namespace {

using geometry::kWindowSide;

enum Slot : std::size_t { kTokens, kStream, kGeometry, kCondition, kSaid, kCorrection, kCells };

ops::FixedLinear fixed(const weights::Linear& linear) {
    return {linear.weight, linear.bias};
}

/// Pixels [3 or so, 96, 96] to channels `first` on of tokens [T, channels * patch * patch], times `factor`.
void take_picture(const float* pixels, std::int64_t channels, float factor, std::int64_t patch, std::int64_t first,
                  float* tokens) {
    const std::int64_t side = kWindowSide / patch;
    for (std::int64_t c = 0; c < channels; ++c)
        for (std::int64_t y = 0; y < kWindowSide; ++y)
            for (std::int64_t tx = 0; tx < side; ++tx) {
                const float* const from = pixels + (c * kWindowSide + y) * kWindowSide + tx * patch;
                float* const to =
                    tokens + ((y / patch * side + tx) * kRenderInputs + first + c) * patch * patch + y % patch * patch;
                for (std::int64_t i = 0; i < patch; ++i) to[i] = from[i] * factor;
            }
}

/// Numbers `first` on of what each token says, [T, kRenderOutputs], as a picture [channels, side * cells, side *
/// cells].
void give_field(const float* said, std::int64_t first, const RenderField& field, std::int64_t side, float* pixels) {
    const std::int64_t cells = field.cells;
    for (std::int64_t token = 0; token < side * side; ++token)
        for (std::int64_t c = 0; c < field.channels; ++c)
            for (std::int64_t y = 0; y < cells; ++y)
                std::copy_n(said + token * kRenderOutputs + first + (c * cells + y) * cells, cells,
                            pixels + ((c * side + token / side) * cells + y) * side * cells + token % side * cells);
}

/// Between which two of `count` numbers a pixel of the window lies, as at::upsample_bilinear2d has it.
struct Between {
    std::int64_t low, high;
    float share;  // of the higher
    Between(std::int64_t pixel, std::int64_t count) {
        const float scale = static_cast<float>(count) / static_cast<float>(kWindowSide);
        const float place = std::max(0.0F, (static_cast<float>(pixel) + 0.5F) * scale - 0.5F);
        low = static_cast<std::int64_t>(place);
        high = std::min(low + 1, count - 1);
        share = place - static_cast<float>(low);
    }
};

/// One channel [count, count] to [96, 96], bilinear. LibTorch's own rounds differently with the number of threads.
void widen(const float* pixels, std::int64_t count, float* out) {
    std::array<float, kWindowSide> line;
    for (std::int64_t y = 0; y < kWindowSide; ++y) {
        const Between rows(y, count);
        for (std::int64_t x = 0; x < count; ++x)
            line[static_cast<std::size_t>(x)] =
                pixels[rows.low * count + x] * (1 - rows.share) + pixels[rows.high * count + x] * rows.share;
        for (std::int64_t x = 0; x < kWindowSide; ++x) {
            const Between columns(x, count);
            out[y * kWindowSide + x] = line[static_cast<std::size_t>(columns.low)] * (1 - columns.share) +
                                       line[static_cast<std::size_t>(columns.high)] * columns.share;
        }
    }
}

}  // namespace

RenderForward::RenderForward(const Parts& parts)
    : config_(parts.config),
      patches_(fixed(parts.patches)),
      places_(parts.places),
      level_in_(parts.level_in),
      level_out_(parts.level_out),
      geometry_(fixed(parts.geometry)),
      blocks_(parts.blocks, parts.last_modulation, parts.rounding),
      out_(fixed(parts.out)) {}

const at::Tensor& RenderForward::buffer(std::size_t slot, at::IntArrayRef sizes) {
    return workspace_.get(slot, sizes, places_.options());
}

void RenderForward::take_pictures(const at::Tensor& noisy, const RenderCondition& condition,
                                  const at::Tensor& geometry_known, const at::Tensor& tokens) const {
    const compositing::Proposal& made = condition.proposal;
    std::int64_t first = 0;
    for (const at::Tensor& picture : {noisy, made.blended, made.source, made.exemplar, made.second, condition.shapes}) {
        const at::Tensor pixels = picture.contiguous();
        const bool is_shape = first + pixels.size(1) == kRenderInputs;
        for (std::int64_t b = 0; b < pixels.size(0); ++b)
            take_picture(pixels.const_data_ptr<float>() + b * pixels.stride(0), pixels.size(1),
                         is_shape ? geometry_known.const_data_ptr<float>()[b] : 1.0F, config_.patch, first,
                         tokens.mutable_data_ptr<float>() + b * tokens.stride(0));
        first += pixels.size(1);
    }
}

const at::Tensor& RenderForward::condition_row(const at::Tensor& level, const RenderCondition& condition,
                                               const at::Tensor& geometry_known) {
    const bool same_level = level_.defined() && level_.sizes() == level.sizes() && at::equal(level_, level);
    if (!same_level) {
        when_ = level_out_(at::silu(level_in_(diffusion::embed_level(level, config_.width))));
        level_ = level.clone();
    }
    at::Tensor known = buffer(kGeometry, condition.geometry.sizes());
    at::mul_out(known, condition.geometry, geometry_known.view({-1, 1}));
    const at::Tensor& row = buffer(kCondition, {level.size(0), 1, config_.width});
    geometry_(known, row);
    row.add_(when_.unsqueeze(1));
    at::Tensor same = row;
    at::silu_(same);
    return row;
}

const at::Tensor& RenderForward::operator()(const at::Tensor& noisy, const at::Tensor& level,
                                            const RenderCondition& condition, const at::Tensor& geometry_known) {
    const std::int64_t batch = noisy.size(0);
    const std::int64_t side = kWindowSide / config_.patch;
    const at::Tensor known = geometry_known.contiguous();
    const at::Tensor& tokens = buffer(kTokens, {batch, side * side, kRenderInputs * config_.patch * config_.patch});
    take_pictures(noisy, condition, known, tokens);
    const at::Tensor& x = buffer(kStream, {batch, side * side, config_.width});
    patches_(tokens, x);
    x.add_(places_);
    const at::Tensor& y = blocks_(x, condition_row(level, condition, known), std::nullopt);
    const at::Tensor& said = buffer(kSaid, {batch, side * side, kRenderOutputs});
    out_(y, said);
    const at::Tensor& correction = buffer(kCorrection, {batch, kCorrectionChannels, kWindowSide, kWindowSide});
    for (std::int64_t b = 0; b < batch; ++b) {
        const float* const of_item = said.const_data_ptr<float>() + b * said.stride(0);
        float* pixels = correction.mutable_data_ptr<float>() + b * correction.stride(0);
        std::int64_t first = 0;
        for (const RenderField& field : kRenderFields) {
            const std::int64_t count = side * field.cells;
            float* const cells = buffer(kCells, {field.channels, count, count}).mutable_data_ptr<float>();
            give_field(of_item, first, field, side, cells);
            for (std::int64_t c = 0; c < field.channels; ++c, pixels += kWindowSide * kWindowSide)
                widen(cells + c * count * count, count, pixels);
            first += field.channels * field.cells * field.cells;
        }
    }
    return correction;
}

}  // namespace omnisync::portable
