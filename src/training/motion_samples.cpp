#include "training/motion_samples.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "engines/portable/curve.h"
#include "engines/portable/motion_net.h"
#include "speech/log_mel.h"
#include "training/random.h"
#include "training/voices.h"

namespace omnisync::training {
namespace {

using portable::kComponents;
using portable::kHeardRateHz;
using portable::kMotionRateHz;

constexpr double kMelRateHz = 100;
constexpr double kContext_s = 0.4;  // heard before and after the window

at::Tensor clip_points(const Footage& footage, const Footage::Clip& clip) {
    return portable::motion_points(footage.landmarks.narrow(0, clip.first_frame, clip.frames).to(at::kFloat));
}

}  // namespace

at::Tensor motion_offsets(const Footage& footage) {
    std::vector<at::Tensor> parts;
    for (const Footage::Clip& clip : footage.clips) {
        const at::Tensor points = clip_points(footage, clip);
        parts.push_back(points - points.mean(0, true));
    }
    return at::cat(parts);
}

std::vector<MotionClip> motion_clips(const Footage& footage, const portable::MotionBasis& basis) {
    std::vector<MotionClip> clips;
    for (const Footage::Clip& clip : footage.clips) {
        const at::Tensor points = clip_points(footage, clip);
        MotionClip made;
        made.rate = clip.rate;
        made.motion = basis.encode(points - points.mean(0, true)).contiguous();
        made.style = made.motion.square().mean(0).clamp_min(1e-3).sqrt().log();
        const at::Tensor speech = footage.speech.narrow(0, clip.first_sample, clip.samples).to(at::kFloat) / 32768.0;
        made.power = speech::mel_power(speech).contiguous();
        clips.push_back(made);
    }
    return clips;
}

at::Tensor motion_at(const MotionClip& clip, const std::vector<double>& times) {
    return portable::read_curve(clip.motion, 0, clip.rate, times);
}

struct MotionSampler::Sample {
    at::Tensor mel, positions, motion, valid, style;
};

MotionSampler::MotionSampler(std::vector<std::vector<MotionClip>> groups, MotionSampling sampling)
    : groups_(std::move(groups)), sampling_(sampling) {}

const MotionClip& MotionSampler::draw(std::mt19937_64& random) const {
    const auto& group = groups_[pick(random, groups_.size())];
    return group[pick(random, group.size())];
}

MotionSampler::Sample MotionSampler::sample(std::mt19937_64& random) const {
    const MotionClip& clip = draw(random);
    Voice voice;
    if (sampling_.augment) voice = Voice::drawn(random);
    const double length_s = static_cast<double>(clip.motion.size(0) - 1) / clip.rate;
    const double window_s = static_cast<double>(sampling_.window - 1) / kMotionRateHz * voice.speed;
    const double start_s =
        uniform(random, std::min(0.0, (length_s - window_s) / 2), std::max(0.0, length_s - window_s));

    Sample made;
    std::vector<double> times;
    made.valid = at::zeros({sampling_.window});
    for (std::int64_t i = 0; i < sampling_.window; ++i) {
        times.push_back(start_s + static_cast<double>(i) / kMotionRateHz * voice.speed);
        if (times.back() > -0.02 && times.back() < length_s + 0.02) made.valid[i] = 1;
    }
    made.motion = motion_at(clip, times);
    made.style = clip.style;
    const at::Tensor heard = sampling_.augment
                                 ? voice.speak(
                                       clip.power, [&]() -> const at::Tensor& { return draw(random).power; }, random)
                                 : clip.power;
    speech::MelLevel level = speech::measure_level(heard);
    if (sampling_.augment) {
        level.mean += 0.15 * normal(random) * level.deviation;
        level.deviation *= std::exp(0.1 * normal(random));
    }
    const auto frames =
        static_cast<std::int64_t>(
            std::ceil((static_cast<double>(sampling_.window) / kMotionRateHz + 2 * kContext_s) * kMelRateHz / 2)) *
        2;
    const double first = (start_s - kContext_s * voice.speed) * kMelRateHz;
    made.mel = resample_mel(speech::normalise(heard, level), first, voice.speed, frames);
    made.positions = at::empty({sampling_.window});
    for (std::int64_t i = 0; i < sampling_.window; ++i)
        made.positions[i] = (kContext_s + static_cast<double>(i) / kMotionRateHz) * kHeardRateHz;
    return made;
}

MotionBatch MotionSampler::batch(std::int64_t step) const {
    std::vector<at::Tensor> mel, positions, motion, valid, style;
    for (std::int64_t i = 0; i < sampling_.batch; ++i) {
        std::mt19937_64 random = random_of(sampling_.seed, step, i);
        const Sample made = sample(random);
        mel.push_back(made.mel);
        positions.push_back(made.positions);
        motion.push_back(made.motion);
        valid.push_back(made.valid);
        style.push_back(made.style);
    }
    return {at::stack(mel), at::stack(positions), at::stack(motion), at::stack(valid), at::stack(style)};
}

}  // namespace omnisync::training
