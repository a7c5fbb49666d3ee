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
    std::vector<at::Tensor> parts{at::empty({0, portable::kMotionPoints, 2})};
    for (const Footage::Clip& clip : footage.clips) {
        if (clip.frames == 0) continue;
        const at::Tensor points = clip_points(footage, clip);
        parts.push_back(points - points.mean(0, true));
    }
    return at::cat(parts);
}

std::vector<MotionClip> motion_clips(const Footage& footage, const portable::MotionBasis& basis,
                                     const TeacherSpace* teacher) {
    std::vector<MotionClip> clips;
    for (const Footage::Clip& clip : footage.clips) {
        MotionClip made;
        made.rate = clip.rate;
        made.length_s = static_cast<double>(clip.samples) / speech::kRateHz;
        made.style = at::zeros({kComponents});
        if (clip.frames > 0) {
            const at::Tensor points = clip_points(footage, clip);
            made.length_s = static_cast<double>(clip.frames - 1) / clip.rate;
            made.motion = basis.encode(points - points.mean(0, true)).contiguous();
            made.style = made.motion.square().mean(0).clamp_min(1e-3).sqrt().log();
        }
        const at::Tensor speech = footage.speech.narrow(0, clip.first_sample, clip.samples).to(at::kFloat) / 32768.0;
        made.power = speech::mel_power(speech).contiguous();
        if (teacher != nullptr && teacher->known() && clip.heard > 0) {
            made.taught = teacher->encode(footage.teacher.narrow(0, clip.first_heard, clip.heard)).contiguous();
            made.taught_first_s = footage.teacher_first_s;
            made.taught_step_s = footage.teacher_step_s;
        }
        clips.push_back(made);
    }
    return clips;
}

at::Tensor motion_at(const MotionClip& clip, const std::vector<double>& times) {
    return portable::read_curve(clip.motion, 0, clip.rate, times);
}

struct MotionSampler::Sample {
    at::Tensor mel, positions, motion, valid, style, taught, listened;
};

MotionSampler::MotionSampler(std::vector<std::vector<MotionClip>> groups, MotionSampling sampling)
    : groups_(std::move(groups)), sampling_(sampling) {
    for (const auto& group : groups_)
        for (const MotionClip& clip : group)
            if (clip.taught.defined()) taught_ = clip.taught.size(1);
}

const MotionClip& MotionSampler::draw(std::mt19937_64& random) const {
    const auto& group = groups_[pick(random, groups_.size())];
    return group[pick(random, group.size())];
}

MotionSampler::Sample MotionSampler::sample(std::mt19937_64& random) const {
    const MotionClip& clip = draw(random);
    Voice voice;
    if (sampling_.augment) voice = Voice::drawn(random);
    const bool moving = clip.motion.defined();
    const double length_s = clip.length_s;
    const double window_s = static_cast<double>(sampling_.window - 1) / kMotionRateHz * voice.speed;
    const double start_s =
        uniform(random, std::min(0.0, (length_s - window_s) / 2), std::max(0.0, length_s - window_s));

    Sample made;
    std::vector<double> times;
    made.valid = at::zeros({sampling_.window});
    for (std::int64_t i = 0; i < sampling_.window; ++i) {
        times.push_back(start_s + static_cast<double>(i) / kMotionRateHz * voice.speed);
        if (moving && times.back() > -0.02 && times.back() < length_s + 0.02) made.valid[i] = 1;
    }
    made.motion = moving ? motion_at(clip, times) : at::zeros({sampling_.window, kComponents});
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
    if (taught_ > 0) teach(made, clip, start_s - kContext_s * voice.speed, voice.speed, frames / 2);
    return made;
}

void MotionSampler::teach(Sample& made, const MotionClip& clip, double first_s, double speed, std::int64_t rows) const {
    made.taught = at::zeros({rows, taught_});
    made.listened = at::zeros({rows});
    if (!clip.taught.defined()) return;
    const double first = (first_s - clip.taught_first_s) / clip.taught_step_s;
    const double step = speed / kHeardRateHz / clip.taught_step_s;
    made.taught = resample_mel(clip.taught, first, step, rows);
    for (std::int64_t i = 0; i < rows; ++i) {
        const double place = first + static_cast<double>(i) * step;
        if (place >= 0 && place <= static_cast<double>(clip.taught.size(0) - 1)) made.listened[i] = 1;
    }
}

MotionBatch MotionSampler::batch(std::int64_t step) const {
    std::vector<at::Tensor> mel, positions, motion, valid, style, taught, listened;
    for (std::int64_t i = 0; i < sampling_.batch; ++i) {
        std::mt19937_64 random = random_of(sampling_.seed, step, i);
        const Sample made = sample(random);
        mel.push_back(made.mel);
        positions.push_back(made.positions);
        motion.push_back(made.motion);
        valid.push_back(made.valid);
        style.push_back(made.style);
        if (taught_ == 0) continue;  // nobody teaches: empty
        taught.push_back(made.taught);
        listened.push_back(made.listened);
    }
    const auto all = [](const std::vector<at::Tensor>& each) { return each.empty() ? at::Tensor() : at::stack(each); };
    return {all(mel), all(positions), all(motion), all(valid), all(style), all(taught), all(listened)};
}

}  // namespace omnisync::training
