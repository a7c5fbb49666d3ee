#include "training/validate_motion.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "base/median.h"
#include "speech/log_mel.h"
#include "training/motion_samples.h"

namespace omnisync::training {
namespace {

using portable::kComponents;
using portable::kMotionRateHz;

constexpr std::int64_t kShortest = 16;  // motion frames

double pearson(const at::Tensor& a, const at::Tensor& b) {
    const at::Tensor x = (a - a.mean()).to(at::kDouble);
    const at::Tensor y = (b - b.mean()).to(at::kDouble);
    const double xx = x.square().sum().item<double>() + 1e-12;
    const double yy = y.square().sum().item<double>() + 1e-12;
    return (x * y).sum().item<double>() / std::sqrt(xx * yy);
}

double deviation(const at::Tensor& values) {
    const at::Tensor about = (values - values.mean()).to(at::kDouble);
    return std::sqrt(about.square().mean().item<double>() + 1e-12);
}

/// The motion of `clips[index]`'s neighbour; a shard's only clip lends its own, played backwards.
at::Tensor other_motion(const std::vector<MotionClip>& clips, std::size_t index, const std::vector<double>& times) {
    if (clips.size() > 1) return motion_at(clips[(index + 1) % clips.size()], times);
    return motion_at(clips[index], times).flip(0);
}

/// Which of ascending `times` lie within a clip: the first, and how many.
std::pair<std::int64_t, std::int64_t> inside(const std::vector<double>& times, double length_s) {
    const auto first = std::lower_bound(times.begin(), times.end(), 0.0);
    const auto end = std::upper_bound(first, times.end(), length_s);
    return {first - times.begin(), end - first};
}

void add(OpeningScore& sum, const OpeningScore& one) {
    sum.correlation += one.correlation;
    sum.spread += one.spread;
    sum.best_correlation += one.best_correlation;
}

OpeningScore mean(OpeningScore sum, std::vector<double> lags, double n) {
    return {sum.correlation / n, sum.spread / n, sum.best_correlation / n, median(std::move(lags))};
}

}  // namespace

OpeningScore score_opening(const at::Tensor& made, const at::Tensor& truth) {
    OpeningScore score;
    score.correlation = pearson(made, truth);
    score.spread = deviation(made) / deviation(truth);
    score.best_correlation = score.correlation;
    const std::int64_t n = made.size(0);
    for (std::int64_t lag = -kMostLag; lag <= kMostLag; ++lag) {
        const std::int64_t both = n - std::abs(lag);
        const double found = pearson(made.narrow(0, std::max<std::int64_t>(0, -lag), both),
                                     truth.narrow(0, std::max<std::int64_t>(0, lag), both));
        if (found <= score.best_correlation) continue;
        score.best_correlation = found;
        score.best_lag_s = static_cast<double>(lag) / kMotionRateHz;
    }
    return score;
}

std::vector<MotionClipScore> score_clips(const portable::MotionNet& net, const portable::MotionBasis& basis,
                                         const Footage& held_out, const portable::PlanOptions& options,
                                         StartMotion start, const std::vector<double>& sound_offsets_s) {
    const c10::InferenceMode inference;
    const at::Tensor lips = basis.opening_of();
    const std::vector<MotionClip> clips = motion_clips(held_out, basis);
    std::vector<MotionClipScore> scores;
    portable::PlanOptions each = options;
    for (std::size_t c = 0; c < clips.size(); ++c) {
        const MotionClip& clip = clips[c];
        const auto frames = static_cast<std::int64_t>(std::floor(clip.length_s * kMotionRateHz)) + 1;
        const double offset_s = sound_offsets_s.empty() ? 0 : sound_offsets_s[c];
        std::vector<double> times, seen;  // of the sound, and of the picture that belongs to it
        for (std::int64_t i = 0; i < frames; ++i) {
            times.push_back(static_cast<double>(i) / kMotionRateHz);
            seen.push_back(times.back() - offset_s);
        }
        const auto [from, count] = inside(seen, clip.length_s);
        if (count < kShortest) continue;
        const at::Tensor truth = at::matmul(motion_at(clip, seen), lips).narrow(0, from, count);
        const at::Tensor heard =
            net.hear(speech::normalise(clip.power, speech::measure_level(clip.power)).unsqueeze(0));
        const at::Tensor source =
            start == StartMotion::still ? at::zeros({frames, kComponents}) : other_motion(clips, c, times);
        auto plan = plan_motion(net, heard, source, clip.style, each);
        ++each.track;
        if (options.tau <= 0) plan.motion = source;  // no noise, no step
        const at::Tensor sampled = at::matmul(plan.motion, lips);
        MotionClipScore score{held_out.clips[c].name, score_opening(sampled.narrow(0, from, count), truth),
                              score_opening(at::matmul(plan.expected, lips).narrow(0, from, count), truth), 0,
                              offset_s};
        if (start == StartMotion::other) score.source_correlation = pearson(sampled, at::matmul(source, lips));
        scores.push_back(score);
    }
    return scores;
}

MotionScore mean_of(const std::vector<MotionClipScore>& clips) {
    MotionScore sum;
    sum.clips = static_cast<std::int64_t>(clips.size());
    if (clips.empty()) return sum;
    std::vector<double> lags, expected_lags;
    for (const MotionClipScore& one : clips) {
        add(sum.sampled, one.sampled);
        add(sum.expected, one.expected);
        sum.source_correlation += one.source_correlation;
        lags.push_back(one.sampled.best_lag_s);
        expected_lags.push_back(one.expected.best_lag_s);
    }
    const auto n = static_cast<double>(clips.size());
    sum.sampled = mean(sum.sampled, lags, n);
    sum.expected = mean(sum.expected, expected_lags, n);
    sum.source_correlation /= n;
    return sum;
}

}  // namespace omnisync::training
