#include "engines/xdub/audio_windows.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>

#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr std::int64_t kFramesPerLatent = 4;
constexpr std::int64_t kFeaturesPerFrame = 2;

at::Tensor chosen(const at::Tensor& features, const FrameTimes& times, const ClipWindow& clip) {
    const at::Tensor indices = window_indices(times, clip, features.size(0));
    return features.index_select(0, indices.flatten().to(features.device()))
        .view({indices.size(0), indices.size(1), features.size(1)});
}

}  // namespace

double FrameTimes::operator[](std::int64_t frame) const {
    const auto known = static_cast<std::int64_t>(seconds.size());
    if (known == 0) return static_cast<double>(frame) * interval_s;
    const std::int64_t nearest = std::clamp<std::int64_t>(frame, 0, known - 1);
    return seconds[static_cast<std::size_t>(nearest)] + static_cast<double>(frame - nearest) * interval_s;
}

at::Tensor window_indices(const FrameTimes& times, const ClipWindow& clip, std::int64_t features) {
    require(features > 0, ExitCode::internal, "windows of no features");
    const std::int64_t frames = kFramesPerLatent + 2 * clip.option;
    at::Tensor indices = at::empty({clip.latents, kFeaturesPerFrame * frames}, at::kLong);
    auto cells = indices.accessor<std::int64_t, 2>();
    const auto feature_at = [&](double time_s) {
        return std::clamp<std::int64_t>(std::llround(time_s * kFeatureRateHz), 0, features - 1);
    };
    for (std::int64_t latent = 0; latent < clip.latents; ++latent) {
        const std::int64_t last = clip.start + kFramesPerLatent * latent + clip.option;
        for (std::int64_t i = 0; i < frames; ++i) {
            const double begin_s = times[last - frames + 1 + i];
            const double end_s = times[last - frames + 2 + i];
            cells[latent][kFeaturesPerFrame * i] = feature_at(begin_s);
            cells[latent][kFeaturesPerFrame * i + 1] = feature_at((begin_s + end_s) / 2);
        }
    }
    return indices;
}

at::Tensor audio_windows(const at::Tensor& whisper, const at::Tensor& wav2vec2, const FrameTimes& times,
                         const ClipWindow& clip) {
    return at::cat({chosen(whisper, times, clip), chosen(wav2vec2, times, clip)}, -1);
}

}  // namespace omnisync::xdub
