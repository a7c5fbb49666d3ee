#include "engines/portable/motion_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/silu.h>
#include <c10/core/GradMode.h>

#include "engines/portable/motion_forward.h"
#include "speech/log_mel.h"

namespace omnisync::portable {
namespace {

using weights::Init;

constexpr std::int64_t kKernel = 5;
constexpr std::int64_t kDilations[] = {1, 2, 4, 1, 2, 4, 1, 2};  // 0.71 s to each side with the two layers before
constexpr double kLongestWave = 100;                             // motion frames

}  // namespace

MotionNet::MotionNet(const weights::Scope& scope, const MotionConfig& config)
    : config_(config),
      ear_out_(scope / "ear" / "out", config.ear_width, config.heard_width),
      expect_in_(scope / "expect_in", config.heard_width, config.ear_width, kKernel),
      expect_more_(scope / "expect_more", config.ear_width, config.ear_width, kKernel),
      expect_out_(scope / "expect_out", config.ear_width, kComponents, Init::small),
      tokens_(scope / "tokens", 2 * kComponents + 1, config.width),
      silence_(scope.get("silence", {config.heard_width}, Init::small)),
      speech_(scope / "speech", config.heard_width, config.width),
      level_in_(scope / "level_in", config.width, config.width),
      level_out_(scope / "level_out", config.width, config.width),
      style_(scope / "style", kComponents, config.width, Init::zeros),
      last_modulation_(scope / "last_modulation", config.width, 2 * config.width, Init::zeros),
      out_(scope / "out", config.width, kComponents, Init::zeros) {
    const weights::Scope ear = scope / "ear";
    ear_in_.emplace_back(ear / "in", speech::kBands, config.ear_width, kKernel);
    ear_in_.emplace_back(ear / "halve", config.ear_width, config.ear_width, kKernel, 2);
    std::int64_t index = 0;
    for (const std::int64_t dilation : kDilations) {
        ear_.emplace_back(ear / index, config.ear_width, config.ear_width, kKernel, 1, dilation);
        ear_norms_.emplace_back(ear / index / "norm", config.ear_width);
        ++index;
    }
    for (std::int64_t i = 0; i < config.blocks; ++i)
        blocks_.emplace_back(scope / "blocks" / i, diffusion::BlockConfig{config.width, config.heads});
}

at::Tensor MotionNet::hear(const at::Tensor& mel) const {
    at::Tensor x = at::gelu(ear_in_[0](mel.transpose(1, 2)));
    x = ear_in_[1](x);
    for (std::size_t i = 0; i < ear_.size(); ++i)
        x = x + at::gelu(ear_[i](ear_norms_[i](x.transpose(1, 2)).transpose(1, 2)));
    return ear_out_(x.transpose(1, 2)).transpose(1, 2);
}

at::Tensor MotionNet::read(const at::Tensor& heard, const at::Tensor& positions) {
    const at::Tensor places = positions.clamp(0, static_cast<double>(heard.size(2) - 1));
    const at::Tensor low = places.floor().clamp_max(static_cast<double>(std::max<std::int64_t>(0, heard.size(2) - 2)));
    const at::Tensor between = (places - low).unsqueeze(1);
    const at::Tensor index = low.to(at::kLong).unsqueeze(1).expand({-1, heard.size(1), -1});
    const at::Tensor next = (index + 1).clamp_max(heard.size(2) - 1);
    const at::Tensor mixed = at::gather(heard, 2, index) * (1 - between) + at::gather(heard, 2, next) * between;
    return mixed.transpose(1, 2);
}

at::Tensor MotionNet::expect(const at::Tensor& heard) const {
    at::Tensor hidden = at::gelu(expect_in_(heard.transpose(1, 2)));
    hidden = hidden + at::gelu(expect_more_(hidden));
    return expect_out_(hidden.transpose(1, 2));
}

void MotionNet::fix() {
    fixed_ = std::make_shared<MotionForward>(MotionForward::Parts{config_, tokens_, speech_, level_in_, level_out_,
                                                                  style_, blocks_, last_modulation_, out_});
}

diffusion::Rotary MotionNet::turns(std::int64_t frames, const MotionConfig& config) {
    return diffusion::rotary(at::arange(frames, at::kFloat), config.width / config.heads, kLongestWave);
}

at::Tensor MotionNet::denoise(const Noisy& noisy, const at::Tensor& heard, const at::Tensor& expected) const {
    if (fixed_ && !at::GradMode::is_enabled()) return (*fixed_)(noisy, heard, expected).clone();
    at::Tensor x = tokens_(at::cat({noisy.motion, expected, noisy.carried.unsqueeze(-1)}, -1)) + speech_(heard);
    const at::Tensor level = level_out_(at::silu(level_in_(diffusion::embed_level(noisy.level, config_.width))));
    const at::Tensor condition = at::silu(level + style_(noisy.style)).unsqueeze(1);
    const diffusion::Rotary rotary = turns(x.size(1), config_);
    for (const diffusion::Block& block : blocks_) x = block(x, condition, rotary);
    const auto m = last_modulation_(condition).chunk(2, -1);
    // What is learned is a correction of the expectation, which is zero without speech.
    return expected + out_(at::layer_norm(x, {config_.width}) * (m[1] + 1) + m[0]);
}

}  // namespace omnisync::portable
