#include "autoencoder/causal_layers.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/conv3d.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/upsample_nearest2d.h>
#include <ATen/ops/zeros_like.h>

#include <cassert>

#include "ops/norm_silu.h"

namespace omnisync::autoencoder {
namespace {

using weights::Init;
using weights::Scope;

constexpr std::int64_t kHistory = 2;  // frames that a kernel of three sees besides its own

/// cuDNN's fast kernels read channels last, and activations take over the layout of the weights; on a CPU the layout
/// makes no difference to speed, and weights stay in the file's mapping.
at::Tensor laid_out(const at::Tensor& weight) {
    if (!weight.is_cuda()) return weight;
    return weight.contiguous(weight.dim() == 5 ? at::MemoryFormat::ChannelsLast3d : at::MemoryFormat::ChannelsLast);
}

at::Tensor bias_of(const Scope& scope, std::int64_t channels) {
    return scope.get("bias", {channels}, Init::zeros);
}

/// [B, C, T, H, W] -> [B T, C, H, W].
at::Tensor frames_of(const at::Tensor& x) {
    const auto s = x.sizes();
    return x.transpose(1, 2).reshape({s[0] * s[2], s[1], s[3], s[4]});
}

/// The inverse, for a batch of `batch`.
at::Tensor video_of(const at::Tensor& frames, std::int64_t batch) {
    const auto s = frames.sizes();
    return frames.reshape({batch, s[0] / batch, s[1], s[2], s[3]}).transpose(1, 2);
}

/// The last `count` frames, without the storage of those before them.
at::Tensor last_frames(const at::Tensor& x, std::int64_t count) {
    return x.slice(2, -count).clone();
}

}  // namespace

RmsNorm::RmsNorm(const Scope& scope, std::int64_t channels, std::int64_t dimensions) {
    std::vector<std::int64_t> shape(static_cast<std::size_t>(dimensions) + 1, 1);
    shape[0] = channels;
    gamma = scope.get("gamma", shape, Init::ones).view({channels, 1, 1, 1});
}

at::Tensor RmsNorm::operator()(const at::Tensor& x) const {
    return ops::rms_norm_silu(x, gamma, false);
}

at::Tensor RmsNorm::activated(const at::Tensor& x) const {
    return ops::rms_norm_silu(x, gamma, true);
}

CausalConv::CausalConv(const Scope& scope, std::int64_t in, std::int64_t out)
    : weight(laid_out(scope.get("weight", {out, in, 3, 3, 3}))), bias(bias_of(scope, out)) {}

at::Tensor CausalConv::operator()(const at::Tensor& x, Memory& memory) const {
    at::Tensor& past = memory.next();
    if (!past.defined()) {
        assert(x.size(2) == 1);
        past = at::cat({at::zeros_like(x), x}, 2);
        return without_history(x);
    }
    const at::Tensor joined = at::cat({past, x}, 2);
    past = last_frames(joined, kHistory);
    return at::conv3d(joined, weight, bias, 1, {0, 1, 1});
}

at::Tensor CausalConv::without_history(const at::Tensor& x) const {
    return at::conv3d(x, weight.slice(2, kHistory), bias, 1, {0, 1, 1});
}

PointConv::PointConv(const Scope& scope, std::int64_t in, std::int64_t out)
    : weight(laid_out(scope.get("weight", {out, in, 1, 1, 1}))), bias(bias_of(scope, out)) {}

at::Tensor PointConv::operator()(const at::Tensor& x) const {
    return at::conv3d(x, weight, bias);
}

ResidualBlock::ResidualBlock(const Scope& scope, std::int64_t in, std::int64_t out)
    : norm0(scope / "residual" / 0, in),
      conv0(scope / "residual" / 2, in, out),
      norm1(scope / "residual" / 3, out),
      conv1(scope / "residual" / 6, out, out) {
    if (in != out) shortcut.emplace(scope / "shortcut", in, out);
}

at::Tensor ResidualBlock::operator()(const at::Tensor& x, Memory& memory) const {
    at::Tensor y = conv0(norm0.activated(x), memory);
    y = conv1(norm1.activated(y), memory);
    return y.add_(shortcut ? (*shortcut)(x) : x);
}

FrameAttention::FrameAttention(const Scope& scope, std::int64_t channels)
    : norm(scope / "norm", channels, 2),
      qkv_weight(laid_out((scope / "to_qkv").get("weight", {3 * channels, channels, 1, 1}))),
      qkv_bias(bias_of(scope / "to_qkv", 3 * channels)),
      proj_weight(laid_out((scope / "proj").get("weight", {channels, channels, 1, 1}, Init::zeros))),
      proj_bias(bias_of(scope / "proj", channels)) {}

at::Tensor FrameAttention::operator()(const at::Tensor& x) const {
    const at::Tensor frames = frames_of(norm(x));
    const auto s = frames.sizes();
    const at::Tensor qkv = at::conv2d(frames, qkv_weight, qkv_bias).reshape({s[0], 3, s[1], s[2] * s[3]});
    const auto part = [&](std::int64_t index) { return qkv.slice(1, index, index + 1).transpose(2, 3); };
    const at::Tensor seen = at::scaled_dot_product_attention(part(0), part(1), part(2)).transpose(2, 3).reshape(s);
    return video_of(at::conv2d(seen, proj_weight, proj_bias), x.size(0)) + x;
}

SpaceConv::SpaceConv(const Scope& scope, std::int64_t channels)
    : weight(laid_out((scope / "resample" / 1).get("weight", {channels, channels, 3, 3}))),
      bias(bias_of(scope / "resample" / 1, channels)) {}

at::Tensor SpaceConv::down(const at::Tensor& x) const {
    const at::Tensor padded = at::constant_pad_nd(frames_of(x), {0, 1, 0, 1});
    return video_of(at::conv2d(padded, weight, bias, 2), x.size(0));
}

at::Tensor SpaceConv::up(const at::Tensor& x) const {
    const at::Tensor large = at::upsample_nearest2d(frames_of(x), {2 * x.size(3), 2 * x.size(4)});
    return video_of(at::conv2d(large, weight, bias, 1, 1), x.size(0));
}

TimeDown::TimeDown(const Scope& scope, std::int64_t channels)
    : weight(laid_out((scope / "time_conv").get("weight", {channels, channels, 3, 1, 1}))),
      bias(bias_of(scope / "time_conv", channels)) {}

at::Tensor TimeDown::operator()(const at::Tensor& x, Memory& memory) const {
    at::Tensor& past = memory.next();
    if (!past.defined()) {
        assert(x.size(2) == 1);
        past = x;
        return x;
    }
    assert(x.size(2) % 2 == 0);
    const at::Tensor joined = at::cat({past, x}, 2);
    past = last_frames(x, 1);
    return at::conv3d(joined, weight, bias, {2, 1, 1});
}

TimeUp::TimeUp(const Scope& scope, std::int64_t channels)
    : weight(laid_out((scope / "time_conv").get("weight", {2 * channels, channels, 3, 1, 1}))),
      bias(bias_of(scope / "time_conv", 2 * channels)) {}

at::Tensor TimeUp::operator()(const at::Tensor& x, Memory& memory) const {
    at::Tensor& past = memory.next();
    if (!past.defined()) {
        assert(x.size(2) == 1);
        const at::Tensor zeros = at::zeros_like(x);
        past = at::cat({zeros, zeros}, 2);
        return x;
    }
    const at::Tensor joined = at::cat({past, x}, 2);
    past = last_frames(joined, kHistory);
    const auto s = x.sizes();
    return at::conv3d(joined, weight, bias)
        .reshape({s[0], 2, s[1], s[2], s[3], s[4]})
        .permute({0, 2, 3, 1, 4, 5})
        .reshape({s[0], s[1], 2 * s[2], s[3], s[4]});
}

Middle::Middle(const Scope& scope, std::int64_t channels)
    : before(scope / 0, channels, channels), attention(scope / 1, channels), after(scope / 2, channels, channels) {}

at::Tensor Middle::operator()(const at::Tensor& x, Memory& memory) const {
    return after(attention(before(x, memory)), memory);
}

Head::Head(const Scope& scope, std::int64_t in, std::int64_t out) : norm(scope / 0, in), conv(scope / 2, in, out) {}

at::Tensor Head::operator()(const at::Tensor& x, Memory& memory) const {
    return conv(norm.activated(x), memory);
}

at::Tensor Head::without_history(const at::Tensor& x) const {
    return conv.without_history(norm.activated(x));
}

}  // namespace omnisync::autoencoder
