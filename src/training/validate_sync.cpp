#include "training/validate_sync.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>

#include "base/median.h"
#include "evaluation/sync_scores.h"
#include "speech/log_mel.h"
#include "training/sync_samples.h"

namespace omnisync::training {
namespace {

using evaluation::Heard;
using evaluation::Seen;

constexpr double kReach_s = 0.6;
constexpr double kNear_ms = 20;

/// `samples` moved later by `count`; as long as they were.
at::Tensor moved(const at::Tensor& samples, std::int64_t count) {
    const at::Tensor out = at::zeros_like(samples);
    const std::int64_t kept = samples.size(0) - std::abs(count);
    if (kept > 0)
        out.narrow(0, std::max<std::int64_t>(0, count), kept)
            .copy_(samples.narrow(0, std::max<std::int64_t>(0, -count), kept));
    return out;
}

Heard hear(const evaluation::SyncNet& net, const at::Tensor& samples) {
    return evaluation::hear_voice(net, speech::mel_power(samples),
                                  static_cast<double>(samples.size(0)) / speech::kRateHz);
}

at::Tensor sound_of(const Footage& footage, std::size_t index) {
    const Footage::Clip& clip = footage.clips[index];
    return footage.speech.narrow(0, clip.first_sample, clip.samples).to(at::kFloat) / 32768.0;
}

Seen face_of(const evaluation::SyncNet& net, const Footage& footage, std::size_t index, bool landmarks_only) {
    const Footage::Clip& clip = footage.clips[index];
    std::vector<double> times;
    for (std::int64_t i = 0; i < clip.frames; ++i) times.push_back(static_cast<double>(i) / clip.rate);
    at::Tensor mouths;
    if (footage.luma.defined() && !landmarks_only)
        mouths = mouths_of(footage.luma.narrow(0, clip.first_frame, clip.frames));
    const at::Tensor landmarks = footage.landmarks.narrow(0, clip.first_frame, clip.frames).to(at::kFloat);
    return evaluation::see_face(net, times, landmarks, mouths, kReach_s);
}

/// The face from window `first` to `end`.
Seen part_of(const Seen& seen, std::size_t first, std::size_t end) {
    const auto from = static_cast<std::ptrdiff_t>(first), to = static_cast<std::ptrdiff_t>(end);
    return {seen.vectors.narrow(0, from, to - from),
            {seen.times_s.begin() + from, seen.times_s.begin() + to},
            {seen.moves.begin() + from, seen.moves.begin() + to}};
}

/// What a clip's own offset cannot hide: two parts that share no picture must find the same.
void try_shifts(SyncClipScore& score, const evaluation::SyncNet& net, const Seen& seen, const Heard& heard,
                const at::Tensor& sound, const SyncTrial& trial) {
    const std::size_t all = seen.times_s.size();
    const Seen rest = part_of(seen, all / 2, all);
    const SyncScores first = evaluation::compare(part_of(seen, 0, all / 2), heard, 0, kReach_s);
    const auto agrees = [&](const Heard& with, double shift_ms) {
        const SyncScores second = evaluation::compare(rest, with, 0, kReach_s);
        return first.absent.empty() && second.absent.empty() &&
               std::abs(second.offset_ms - first.offset_ms - shift_ms) <= kNear_ms;
    };
    score.halves_agree = agrees(heard, 0) ? 1 : 0;

    std::vector<double> errors;
    for (const double shift : trial.shifts_ms) {
        const auto samples = static_cast<std::int64_t>(std::lround(shift / 1000 * speech::kRateHz));
        const Heard shifted = hear(net, moved(sound, samples));
        const SyncScores found = evaluation::compare(seen, shifted, 0, kReach_s);
        const double error = found.absent.empty() ? std::abs(found.offset_ms - shift) : 1e3;
        errors.push_back(error);
        score.found += error <= kNear_ms;
        score.followed += agrees(shifted, shift);
    }
    const auto count = static_cast<double>(std::max<std::size_t>(1, trial.shifts_ms.size()));
    score.found /= count;
    score.followed /= count;
    score.error_ms = median(errors);
}

}  // namespace

std::vector<SyncClipScore> score_sync(const evaluation::SyncNet& net, const Footage& footage, const SyncTrial& trial) {
    const c10::InferenceMode inference;
    std::vector<Heard> voices;
    for (std::size_t i = 0; i < footage.clips.size(); ++i) voices.push_back(hear(net, sound_of(footage, i)));
    std::vector<SyncClipScore> scores;
    for (std::size_t i = 0; i < footage.clips.size(); ++i) {
        SyncClipScore& score = scores.emplace_back();
        score.clip = footage.clips[i].name;
        const Seen seen = face_of(net, footage, i, trial.landmarks_only);
        const SyncScores own = evaluation::compare(seen, voices[i], 0, kReach_s);
        score.scored = own.absent.empty();
        if (!score.scored) continue;
        score.offset_ms = own.offset_ms;
        score.confidence = own.confidence;
        score.distance = own.distance;
        try_shifts(score, net, seen, voices[i], sound_of(footage, i), trial);
        double tried = 0;
        const auto others = std::min<std::size_t>(static_cast<std::size_t>(trial.others), footage.clips.size() - 1);
        for (std::size_t k = 1; k <= others; ++k) {
            // Spread over the shard, so that they are not all of the neighbours' speaker.
            const std::size_t other = (i + k * ((footage.clips.size() - 1) / others)) % footage.clips.size();
            const SyncScores strange = evaluation::compare(seen, voices[other], 0, kReach_s);
            if (!strange.absent.empty()) continue;
            ++tried;
            score.above_others += strange.confidence < own.confidence;
            score.nearer_than_others += strange.distance > own.distance;
        }
        if (tried > 0) {
            score.above_others /= tried;
            score.nearer_than_others /= tried;
        }
    }
    return scores;
}

std::vector<double> own_offsets(const evaluation::SyncNet& net, const Footage& footage) {
    const c10::InferenceMode inference;
    std::vector<double> offsets;
    for (std::size_t i = 0; i < footage.clips.size(); ++i) {
        const SyncScores own =
            evaluation::compare(face_of(net, footage, i, false), hear(net, sound_of(footage, i)), 0, kReach_s);
        offsets.push_back(own.absent.empty() ? own.offset_ms / 1000 : 0);
    }
    return offsets;
}

SyncScore mean_of(const std::vector<SyncClipScore>& clips) {
    SyncScore score;
    double square = 0;
    for (const SyncClipScore& clip : clips) {
        if (!clip.scored) {
            ++score.left_out;
            continue;
        }
        ++score.clips;
        score.mean.offset_ms += clip.offset_ms;
        square += clip.offset_ms * clip.offset_ms;
        score.mean.confidence += clip.confidence;
        score.mean.distance += clip.distance;
        score.mean.found += clip.found;
        score.mean.followed += clip.followed;
        score.mean.error_ms += clip.error_ms;
        score.mean.halves_agree += clip.halves_agree;
        score.mean.above_others += clip.above_others;
        score.mean.nearer_than_others += clip.nearer_than_others;
    }
    if (score.clips == 0) return score;
    const auto count = static_cast<double>(score.clips);
    for (double* value :
         {&score.mean.offset_ms, &score.mean.confidence, &score.mean.distance, &score.mean.found, &score.mean.followed,
          &score.mean.error_ms, &score.mean.halves_agree, &score.mean.above_others, &score.mean.nearer_than_others})
        *value /= count;
    score.offset_deviation_ms = std::sqrt(std::max(0.0, square / count - score.mean.offset_ms * score.mean.offset_ms));
    score.mean.scored = true;
    return score;
}

}  // namespace omnisync::training
