#include "training/sync_samples.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/index_select.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "evaluation/sync_net.h"
#include "speech/log_mel.h"
#include "training/random.h"
#include "training/voices.h"

namespace omnisync::training {
namespace {

using evaluation::kHeardRateHz;
using evaluation::kMelRateHz;
using evaluation::kMouthHeight;
using evaluation::kMouthStep;
using evaluation::kMouthWidth;
using evaluation::kSeenRateHz;

// What shards keep of the canonical face begins here (docs/formats.md).
constexpr int kKeptX = 16, kKeptY = 48;
constexpr int kLeft = evaluation::kMouthX - kKeptX, kTop = evaluation::kMouthY - kKeptY;
constexpr double kContext_s = kSyncReach_s + 0.25;  // heard before and after the window: more than the ear's reach
constexpr double kPixelPixels = 159;                // x of the canonical face's last pixel

/// The 68 landmarks as a mirror shows them.
at::Tensor mirrored(const at::Tensor& landmarks) {
    std::vector<std::int64_t> order(68);
    const auto reverse = [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i <= last; ++i) order[static_cast<std::size_t>(i)] = first + last - i;
    };
    for (const auto& [first, last] : {std::pair{0, 16}, {17, 26}, {31, 35}, {48, 54}, {55, 59}, {60, 64}, {65, 67}})
        reverse(first, last);
    for (std::int64_t i = 27; i <= 30; ++i) order[static_cast<std::size_t>(i)] = i;
    for (std::int64_t i = 36; i <= 47; ++i) order[static_cast<std::size_t>(i)] = i;  // eyes are not looked at
    const at::Tensor turned = at::index_select(landmarks, 1, at::tensor(order));
    return turned * at::tensor({-1.F, 1.F}) + at::tensor({static_cast<float>(kPixelPixels), 0.F});
}

at::Tensor pooled(const at::Tensor& luma, std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height) {
    const at::Tensor part = luma.narrow(1, y, height).narrow(2, x, width).to(at::kFloat);
    return at::adaptive_avg_pool2d(part.unsqueeze(1), {kMouthHeight, kMouthWidth}).squeeze(1);
}

/// A mouth a little beside its place and of another size, in another light.
at::Tensor strange_mouths(const at::Tensor& luma, std::mt19937_64& random) {
    const double size = std::exp(uniform(random, -0.12, 0.08));
    const auto width = static_cast<std::int64_t>(std::lround(kMouthWidth * kMouthStep * size));
    const auto height = static_cast<std::int64_t>(std::lround(kMouthHeight * kMouthStep * size));
    const std::int64_t x = kLeft + (kMouthWidth * kMouthStep - width) / 2 + between(random, -5, 5);
    const std::int64_t y = kTop + (kMouthHeight * kMouthStep - height) / 2 + between(random, -5, 5);
    at::Tensor mouths = pooled(luma, std::clamp<std::int64_t>(x, 0, luma.size(2) - width),
                               std::clamp<std::int64_t>(y, 0, luma.size(1) - height), width, height);
    const double gamma = std::exp(uniform(random, -0.4, 0.4));
    mouths = (mouths / 255).pow(gamma) * (255 * std::exp(uniform(random, -0.3, 0.3)));
    if (uniform(random, 0, 1) < 0.3) {  // out of focus
        const std::int64_t coarse = between(random, 12, 24);
        mouths = at::adaptive_avg_pool2d(at::adaptive_avg_pool2d(mouths.unsqueeze(1), {coarse, coarse * 3 / 2}),
                                         {kMouthHeight, kMouthWidth})
                     .squeeze(1);
    }
    return mouths;
}

at::Generator generator_for(std::mt19937_64& random) {
    return generator_of(random(), 0);
}

at::Tensor strange_landmarks(const at::Tensor& landmarks, std::mt19937_64& random) {
    const at::Tensor mean = landmarks.mean(0, true);
    at::Generator noise = generator_for(random);
    return mean + (landmarks - mean) * std::exp(uniform(random, -0.35, 0.35)) +
           at::randn(landmarks.sizes(), noise) * uniform(random, 0, 0.5) +
           at::randn({1, landmarks.size(1), 2}, noise) * uniform(random, 0, 1.0);
}

}  // namespace

at::Tensor mouths_of(const at::Tensor& luma) {
    return luma.defined() ? pooled(luma, kLeft, kTop, kMouthWidth * kMouthStep, kMouthHeight * kMouthStep) : luma;
}

std::vector<SyncClip> sync_clips(const Footage& footage) {
    std::vector<SyncClip> clips;
    for (const Footage::Clip& clip : footage.clips) {
        SyncClip made;
        made.rate = clip.rate;
        made.landmarks = footage.landmarks.narrow(0, clip.first_frame, clip.frames).to(at::kFloat);
        if (footage.luma.defined()) made.luma = footage.luma.narrow(0, clip.first_frame, clip.frames);
        const at::Tensor speech = footage.speech.narrow(0, clip.first_sample, clip.samples).to(at::kFloat) / 32768.0;
        made.power = speech::mel_power(speech).contiguous();
        made.sound_s = static_cast<double>(clip.samples) / speech::kRateHz;
        clips.push_back(made);
    }
    return clips;
}

struct SyncSampler::Sample {
    at::Tensor shape, mouth, mel, seen_valid, sound_valid;
};

SyncSampler::SyncSampler(std::vector<std::vector<SyncClip>> groups, SyncSampling sampling)
    : groups_(std::move(groups)), sampling_(sampling) {}

const SyncClip& SyncSampler::draw(std::mt19937_64& random) const {
    const auto& group = groups_[pick(random, groups_.size())];
    return group[pick(random, group.size())];
}

SyncSampler::Sample SyncSampler::sample(std::mt19937_64& random) const {
    const SyncClip& clip = draw(random);
    const bool augment = sampling_.augment;
    Voice voice;
    if (augment) voice = Voice::drawn(random);
    const double length_s = static_cast<double>(clip.landmarks.size(0) - 1) / clip.rate;
    const double window_s = static_cast<double>(sampling_.window - 1) / kSeenRateHz * voice.speed;
    const double start_s =
        uniform(random, std::min(0.0, (length_s - window_s) / 2), std::max(0.0, length_s - window_s));

    at::Tensor landmarks = augment ? strange_landmarks(clip.landmarks, random) : clip.landmarks;
    at::Tensor mouths;
    if (clip.luma.defined()) mouths = augment ? strange_mouths(clip.luma, random) : mouths_of(clip.luma);
    if (augment && uniform(random, 0, 1) < 0.5) {
        landmarks = mirrored(landmarks);
        if (mouths.defined()) mouths = mouths.flip(2);
    }
    const evaluation::Look look = evaluation::look_at(landmarks, mouths);

    Sample made;
    std::vector<double> rows;
    made.seen_valid = at::zeros({sampling_.window});
    made.sound_valid = at::zeros({sampling_.window, kSyncOffsets});
    auto sound_valid = made.sound_valid.accessor<float, 2>();
    for (std::int64_t i = 0; i < sampling_.window; ++i) {
        const double time = start_s + static_cast<double>(i) / kSeenRateHz * voice.speed;
        rows.push_back(time * clip.rate);
        if (time > -0.02 && time < length_s + 0.02) made.seen_valid[i] = 1;
        for (std::int64_t k = 0; k < kSyncOffsets; ++k) {
            const double heard = time + (static_cast<double>(k) * kSyncStep_s - kSyncReach_s) * voice.speed;
            sound_valid[i][k] = heard >= 0 && heard <= clip.sound_s ? 1 : 0;
        }
    }
    const double hidden = augment ? uniform(random, 0, 1) : 1;  // one of the two is not always known
    made.shape = evaluation::read_rows(look.shape, rows) * (hidden < 0.15 ? 0 : 1);
    made.mouth = evaluation::read_rows(look.mouth, rows) * (hidden >= 0.15 && hidden < 0.35 ? 0 : 1);

    const at::Tensor heard = augment
                                 ? voice.speak(
                                       clip.power, [&]() -> const at::Tensor& { return draw(random).power; }, random)
                                 : clip.power;
    speech::MelLevel level = speech::measure_level(heard);
    if (augment) {
        level.mean += 0.15 * normal(random) * level.deviation;
        level.deviation *= std::exp(0.1 * normal(random));
    }
    const auto frames = static_cast<std::int64_t>(std::ceil(
                            (static_cast<double>(sampling_.window) / kSeenRateHz + 2 * kContext_s) * kMelRateHz / 2)) *
                        2;
    const double first = (start_s - kContext_s * voice.speed) * kMelRateHz;
    made.mel = resample_mel(speech::normalise(heard, level), first, voice.speed, frames);
    return made;
}

SyncBatch SyncSampler::batch(std::int64_t step) const {
    std::vector<at::Tensor> shape, mouth, mel, seen, sound;
    for (std::int64_t i = 0; i < sampling_.batch; ++i) {
        std::mt19937_64 random = random_of(sampling_.seed, step, i);
        Sample made = sample(random);
        shape.push_back(std::move(made.shape));
        mouth.push_back(std::move(made.mouth));
        mel.push_back(std::move(made.mel));
        seen.push_back(std::move(made.seen_valid));
        sound.push_back(std::move(made.sound_valid));
    }
    const at::Tensor times = at::arange(sampling_.window, at::kFloat).unsqueeze(1) / kSeenRateHz + kContext_s;
    const at::Tensor offsets = at::arange(kSyncOffsets, at::kFloat).unsqueeze(0) * kSyncStep_s - kSyncReach_s;
    return {at::stack(shape), at::stack(mouth), at::stack(mel), (times + offsets) * kHeardRateHz,
            at::stack(seen),  at::stack(sound)};
}

}  // namespace omnisync::training
