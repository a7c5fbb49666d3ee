#include "engines/portable/performance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>

#include "engines/portable/curve.h"
#include "engines/portable/exemplars.h"
#include "speech/activity.h"
#include "speech/log_mel.h"

namespace omnisync::portable {
namespace {

constexpr double kActivityRateHz = 100;
constexpr std::size_t kBlock = 1 << 16;  // samples read at once
constexpr double kJoin_s = 0.12;         // over which a plan takes over from the picture's own motion
constexpr double kClosed = 0.15;         // the share of frames, least open first, whose mean is the mouth at rest
// A mouth that hardly moves says nothing of its owner's spread; then the average speaker's serves.
constexpr double kLeastSpread = 0.5;
constexpr double kAverageSpread = 1.8;
constexpr double kLeastGain = 0.6;
constexpr double kMostGain = 2.5;

at::Tensor read_all(SpeechSource& source) {
    std::vector<at::Tensor> blocks;
    for (;;) {
        const at::Tensor block = at::empty({static_cast<std::int64_t>(kBlock)}, at::kFloat);
        const std::size_t got = source.read({block.mutable_data_ptr<float>(), kBlock});
        blocks.push_back(block.narrow(0, 0, static_cast<std::int64_t>(got)));
        if (got < kBlock) return at::cat(blocks);
    }
}

/// [n, kMotionPoints, 2]
at::Tensor points_of(const std::vector<const FaceFrame*>& faces) {
    std::vector<at::Tensor> all;
    for (const FaceFrame* face : faces) all.push_back(motion_points(canonical_landmarks(*face)));
    return at::cat(all);
}

double deviation(const at::Tensor& values) {
    return values.size(0) > 1 ? values.std().item<double>() : 0.0;
}

/// [n, 1]: 0 where a stretch begins or ends in the middle of a shot's course, 1 from kJoin_s on.
at::Tensor joins(const std::vector<double>& times, bool fade_in, bool fade_out) {
    const at::Tensor weight = at::empty({static_cast<std::int64_t>(times.size()), 1});
    for (std::size_t i = 0; i < times.size(); ++i) {
        double w = 1;
        if (fade_in) w = std::min(w, (times[i] - times.front()) / kJoin_s);
        if (fade_out) w = std::min(w, (times.back() - times[i]) / kJoin_s);
        weight[static_cast<std::int64_t>(i)][0] = w * w * (3 - 2 * w);
    }
    return weight;
}

}  // namespace

Utterance listen(const MotionNet& net, const Voice& voice) {
    const std::unique_ptr<SpeechSource> source = voice.open(speech::kRateHz);
    const at::Tensor power = speech::mel_power(read_all(*source));
    const at::Tensor mel = speech::normalise(power, speech::measure_level(power));
    return {net.hear(mel.unsqueeze(0)), speech::activity(power).unsqueeze(1), voice.start_s};
}

std::vector<Performance> stretches(const EngineJob& job) {
    std::vector<Performance> all;
    for (const Role& role : job.cast->roles) {
        const auto track = std::find_if(job.analysis->tracks.begin(), job.analysis->tracks.end(),
                                        [&](const FaceTrack& one) { return one.id == role.track; });
        if (track == job.analysis->tracks.end()) continue;
        const auto speech_at = [&](std::int64_t frame) {
            for (const CastSpan& span : role.spans)
                if (frame >= span.first && frame < span.end) return span.speech;
            return -1;
        };
        int running = -1;
        for (std::size_t i = 0; i < job.shown.size(); ++i) {
            const int voice = speech_at(job.shown[i].frame);
            // A jump back to the first frame (loop) is a cut like any other.
            const bool jump = i > 0 && std::abs(job.shown[i].frame - job.shown[i - 1].frame) > 1;
            if (voice >= 0 && (voice != running || jump)) {
                all.push_back({&*track, voice, static_cast<std::int64_t>(i), 0, {}, {}, {}});
            }
            if (voice >= 0) ++all.back().length;
            running = voice;
        }
    }
    return all;
}

Habit habit_of(const FaceTrack& track, const MotionBasis& basis) {
    std::vector<const FaceFrame*> seen;
    for (const FaceFrame& face : track.frames)
        if (face.obstacle == Obstacle::none) seen.push_back(&face);
    if (seen.empty())
        for (const FaceFrame& face : track.frames) seen.push_back(&face);
    const at::Tensor points = points_of(seen);
    Habit habit;
    habit.mean = points.mean(0);
    const at::Tensor motion = basis.encode(points - habit.mean);
    const at::Tensor open = opening(points);
    const auto closed =
        std::max<std::int64_t>(1, static_cast<std::int64_t>(kClosed * static_cast<double>(points.size(0))));
    habit.rest = motion.index_select(0, open.argsort().narrow(0, 0, closed)).mean(0);
    habit.spread = deviation(open);
    habit.style =
        habit.spread < kLeastSpread ? at::zeros({kComponents}) : motion.square().mean(0).clamp_min(1e-3).sqrt().log();
    return habit;
}

void plan(Performance& performance, const EngineJob& job, const MotionNet& net, const MotionBasis& basis,
          const Habit& habit, const Utterance& utterance) {
    std::vector<double> times;  // of the utterance
    std::vector<at::Tensor> landmarks;
    for (std::int64_t i = 0; i < performance.length; ++i) {
        const Shown& shown = job.shown[static_cast<std::size_t>(performance.first + i)];
        times.push_back(shown.time_s - utterance.start_s);
        landmarks.push_back(canonical_landmarks(*performance.track->at(shown.frame)));
    }
    performance.targets = at::cat(landmarks);
    const at::Tensor own = basis.encode(motion_points(performance.targets) - habit.mean);

    PlanOptions options;
    if (job.options.steps > 0) options.steps = job.options.steps;
    if (job.options.guidance > 0) options.guidance = job.options.guidance;
    options.seed = job.options.seed;
    options.track = static_cast<std::uint32_t>(performance.track->id);
    options.first = static_cast<std::int64_t>(std::floor(times.front() * kMotionRateHz));
    const auto last = static_cast<std::int64_t>(std::ceil(times.back() * kMotionRateHz));
    std::vector<double> grid;
    for (std::int64_t i = options.first; i <= last; ++i) grid.push_back(static_cast<double>(i) / kMotionRateHz);
    const MotionPlan made = plan_motion(net, utterance.heard, read_uneven(own, times, grid), habit.style, options);

    const double planned = deviation(at::matmul(made.motion, basis.opening_of()));
    const double wanted = habit.spread < kLeastSpread ? kAverageSpread : habit.spread;
    const double gain = planned > 1e-3 ? std::clamp(wanted / planned, kLeastGain, kMostGain) * job.options.strength : 1;
    const at::Tensor spoken = read_curve(made.motion * gain, grid.front(), kMotionRateHz, times);
    const at::Tensor active = read_curve(utterance.activity, 0, kActivityRateHz, times).clamp(0, 1);
    const at::Tensor motion = habit.rest + (spoken - habit.rest) * active;

    const std::int64_t after = performance.first + performance.length;
    const std::int64_t first_frame = job.shown[static_cast<std::size_t>(performance.first)].frame;
    const std::int64_t last_frame = job.shown[static_cast<std::size_t>(after - 1)].frame;
    const bool begins_within = performance.track->at(first_frame - 1) != nullptr && performance.first > 0;
    const bool ends_within =
        performance.track->at(last_frame + 1) != nullptr && after < static_cast<std::int64_t>(job.shown.size());
    const at::Tensor change = (motion - own) * joins(times, begins_within, ends_within);
    const at::Tensor moved = basis.decode(change);
    performance.targets.narrow(1, kJawFirst, kJawPoints).add_(moved.narrow(1, 0, kJawPoints));
    performance.targets.narrow(1, kMouthFirst, kMouthPoints).add_(moved.narrow(1, kJawPoints, kMouthPoints));
}

}  // namespace omnisync::portable
