#include "engines/portable/motion_forward.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/silu.h>

namespace omnisync::portable {
namespace {

enum Slot : std::size_t { kSeen, kHeard, kSpeech, kStream, kStyle, kCondition, kMotion };

ops::FixedLinear fixed(const weights::Linear& linear) {
    return {linear.weight, linear.bias};
}

}  // namespace

MotionForward::MotionForward(const Parts& parts)
    : config_(parts.config),
      tokens_(fixed(parts.tokens)),
      speech_(fixed(parts.speech)),
      level_in_(parts.level_in),
      level_out_(parts.level_out),
      style_(fixed(parts.style)),
      blocks_(parts.blocks, parts.last_modulation),
      out_(fixed(parts.out)) {}

const at::Tensor& MotionForward::buffer(std::size_t slot, at::IntArrayRef sizes) {
    return workspace_.get(slot, sizes, level_in_.weight.options().requires_grad(false));
}

const at::Tensor& MotionForward::condition_row(const at::Tensor& level, const at::Tensor& style) {
    const bool same_level = level_.defined() && level_.sizes() == level.sizes() && at::equal(level_, level);
    if (!same_level) {
        when_ = level_out_(at::silu(level_in_(diffusion::embed_level(level, config_.width)))).unsqueeze(1);
        level_ = level.clone();
    }
    const at::Tensor& known = buffer(kStyle, style.sizes());
    known.copy_(style);
    at::Tensor row = buffer(kCondition, {level.size(0), 1, config_.width});
    style_(known, row);
    row.add_(when_);
    at::silu_(row);
    return buffer(kCondition, row.sizes());
}

const at::Tensor& MotionForward::operator()(const MotionNet::Noisy& noisy, const at::Tensor& heard,
                                            const at::Tensor& expected) {
    const std::int64_t batch = noisy.motion.size(0);
    const std::int64_t frames = noisy.motion.size(1);
    const at::Tensor& seen = buffer(kSeen, {batch, frames, 2 * kComponents + 1});
    seen.narrow(2, 0, kComponents).copy_(noisy.motion);
    seen.narrow(2, kComponents, kComponents).copy_(expected);
    seen.select(2, 2 * kComponents).copy_(noisy.carried);
    const at::Tensor& x = buffer(kStream, {batch, frames, config_.width});
    tokens_(seen, x);
    const at::Tensor& rows = buffer(kHeard, heard.sizes());
    rows.copy_(heard);
    const at::Tensor& speech = buffer(kSpeech, x.sizes());
    speech_(rows, speech);
    x.add_(speech);
    if (!turns_ || turns_->cos.size(0) != frames) turns_ = MotionNet::turns(frames, config_);
    const at::Tensor& y = blocks_(x, condition_row(noisy.level, noisy.style), turns_);
    const at::Tensor& motion = buffer(kMotion, {batch, frames, kComponents});
    out_(y, motion);
    motion.add_(expected);
    return motion;
}

}  // namespace omnisync::portable
