#include "evaluation/sync_net.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "engines/portable/motion_basis.h"
#include "speech/log_mel.h"

namespace omnisync::evaluation {
namespace {

using weights::Init;

constexpr std::int64_t kEarDilations[] = {1, 2, 4, 2};  // 0.22 s to each side with the two layers before
constexpr std::int64_t kEyeDilations[] = {1, 2};        // 0.17 s
constexpr double kShapeScale = 0.4;                     // of canonical pixels
constexpr double kMouthScale = 2;
constexpr double kLeastContrast = 8;  // of luma

at::Tensor unit(const at::Tensor& x) {
    return x / x.square().sum(-1, true).add(1e-6).sqrt();
}

}  // namespace

SyncNet::SyncNet(const weights::Scope& scope, const SyncConfig& config)
    : config_(config),
      heard_(scope / "heard", config.width, config.embedding),
      pixels_(scope / "pixels", 3 * config.mouth_width * (kMouthHeight / 8) * (kMouthWidth / 8), config.width / 2),
      shape_(scope / "shape", kShape, config.width / 2),
      seen_(scope / "seen", config.width, config.embedding),
      sharpness_(scope.get("sharpness", {2}, Init::ones)) {
    const std::int64_t width = config.width;
    const weights::Scope ear = scope / "ear";
    ear_.emplace_back(ear / "in", speech::kBands, width, 5);
    ear_.emplace_back(ear / "halve", width, width, 5, 2);
    for (std::size_t i = 0; i < std::size(kEarDilations); ++i) {
        const weights::Scope block = ear / static_cast<std::int64_t>(i);
        ear_.emplace_back(block, width, width, 3, 1, kEarDilations[i]);
        ear_norms_.emplace_back(block / "norm", width);
    }
    const std::int64_t channels[] = {1, config.mouth_width, 2 * config.mouth_width, 3 * config.mouth_width};
    for (std::int64_t i = 0; i < 3; ++i) {
        const weights::Scope layer = scope / "mouth" / i;
        const std::int64_t side = i == 0 ? 5 : 3;
        pixel_weights_.push_back(layer.get("weight", {channels[i + 1], channels[i], side, side}));
        pixel_biases_.push_back(layer.get("bias", {channels[i + 1]}, Init::zeros));
    }
    const weights::Scope eye = scope / "eye";
    eye_.emplace_back(eye / "in", width, width, 5);
    for (std::size_t i = 0; i < std::size(kEyeDilations); ++i) {
        const weights::Scope block = eye / static_cast<std::int64_t>(i);
        eye_.emplace_back(block, width, width, 3, 1, kEyeDilations[i]);
        eye_norms_.emplace_back(block / "norm", width);
    }
}

at::Tensor SyncNet::hear(const at::Tensor& mel) const {
    at::Tensor x = at::gelu(ear_[0](mel.transpose(1, 2)));
    x = ear_[1](x);
    for (std::size_t i = 0; i < ear_norms_.size(); ++i)
        x = x + at::gelu(ear_[i + 2](ear_norms_[i](x.transpose(1, 2)).transpose(1, 2)));
    return unit(heard_(x.transpose(1, 2)));
}

at::Tensor SyncNet::see(const at::Tensor& shape, const at::Tensor& mouth) const {
    at::Tensor x = mouth.reshape({-1, 1, kMouthHeight, kMouthWidth});
    for (std::size_t i = 0; i < pixel_weights_.size(); ++i) {
        const std::int64_t pad = pixel_weights_[i].size(2) / 2;
        x = at::gelu(at::conv2d(x, pixel_weights_[i], pixel_biases_[i], {2, 2}, {pad, pad}));
    }
    const at::Tensor pixels = pixels_(x.flatten(1)).view({mouth.size(0), mouth.size(1), -1});
    x = at::cat({pixels, shape_(shape)}, -1).transpose(1, 2);
    x = eye_[0](at::gelu(x));
    for (std::size_t i = 0; i < eye_norms_.size(); ++i)
        x = x + at::gelu(eye_[i + 1](eye_norms_[i](x.transpose(1, 2)).transpose(1, 2)));
    return unit(seen_(x.transpose(1, 2)));
}

Look look_at(const at::Tensor& landmarks, const at::Tensor& mouth) {
    const at::Tensor points = portable::motion_points(landmarks);
    const at::Tensor offsets = (points - points.mean(0, true)).flatten(1);
    Look look;
    look.shape = at::cat({offsets, portable::opening(points).unsqueeze(1)}, 1) * kShapeScale;
    if (!mouth.defined()) {
        look.mouth = at::zeros({landmarks.size(0), kMouthHeight, kMouthWidth});
        return look;
    }
    const at::Tensor mean = mouth.mean(0, true);
    const double contrast = mean.std().item<double>() + kLeastContrast;
    look.mouth = (mouth - mean) * (kMouthScale / contrast);
    return look;
}

at::Tensor read_rows(const at::Tensor& values, const std::vector<double>& places) {
    const std::int64_t last = values.size(0) - 1;
    const auto count = static_cast<std::int64_t>(places.size());
    std::vector<std::int64_t> rows[4];
    std::vector<float> shares[4];
    for (const double place : places) {
        const double within = std::clamp(place, 0.0, static_cast<double>(last));
        const auto low = static_cast<std::int64_t>(within);
        const double f = within - static_cast<double>(low);
        const double w[4] = {f * (-0.5 + f * (1 - 0.5 * f)), 1 + f * f * (1.5 * f - 2.5), f * (0.5 + f * (2 - 1.5 * f)),
                             f * f * (0.5 * f - 0.5)};
        for (int k = 0; k < 4; ++k) {
            rows[k].push_back(std::clamp<std::int64_t>(low + k - 1, 0, last));
            shares[k].push_back(static_cast<float>(w[k]));
        }
    }
    std::vector<std::int64_t> shape(static_cast<std::size_t>(values.dim()), 1);
    shape[0] = count;
    at::Tensor sum;
    for (int k = 0; k < 4; ++k) {
        const at::Tensor part = at::index_select(values, 0, at::tensor(rows[k])) * at::tensor(shares[k]).view(shape);
        sum = sum.defined() ? sum + part : part;
    }
    return sum;
}

at::Tensor read_likeness(const at::Tensor& likeness, const at::Tensor& places) {
    const auto last = static_cast<double>(likeness.size(-1) - 1);
    const at::Tensor clamped = places.clamp(0, last);
    const at::Tensor low = clamped.floor().clamp_max(std::max(0.0, last - 1));
    std::vector<std::int64_t> shape = likeness.sizes().vec();
    shape.back() = places.size(1);
    const at::Tensor index = low.to(at::kLong).expand(shape);
    const at::Tensor next = (index + 1).clamp_max(likeness.size(-1) - 1);
    const at::Tensor share = clamped - low;
    return at::gather(likeness, -1, index) * (1 - share) + at::gather(likeness, -1, next) * share;
}

}  // namespace omnisync::evaluation
