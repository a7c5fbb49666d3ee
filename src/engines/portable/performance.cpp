#include "engines/portable/performance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "engines/portable/closures.h"
#include "engines/portable/curve.h"
#include "engines/portable/exemplars.h"
#include "geometry/warp.h"
#include "speech/activity.h"
#include "speech/log_mel.h"

namespace omnisync::portable {
namespace {

constexpr double kActivityRateHz = 100;
constexpr std::int64_t kBlock = 1 << 16;              // samples read at once
constexpr std::int64_t kPiece = 1000, kContext = 64;  // mel frames: 10 s; more than the ear's reach
constexpr double kJoin_s = 0.12;                      // over which a plan takes over from the picture's own motion
// Of the lips' opening, where the speaker's own is not known.
constexpr double kAverageSpread = 1.8;
constexpr double kLeastGain = 0.6;
constexpr double kMostGain = 2.5;
constexpr double kJawSideways = 0.3;

/// hear() in pieces that overlap by what the ear listens to on both sides: a long speech needs hardly more memory.
at::Tensor hear_all(const MotionNet& net, const at::Tensor& power) {
    const speech::MelLevel level = speech::measure_level(power);
    const at::Tensor heard = at::empty({1, net.config().ear_width, (power.size(0) + 1) / 2});
    for (std::int64_t first = 0; first < power.size(0); first += kPiece) {
        const std::int64_t from = std::max<std::int64_t>(0, first - kContext);
        const std::int64_t to = std::min(power.size(0), first + kPiece + kContext);
        const at::Tensor piece = net.hear(speech::normalise(power.narrow(0, from, to - from), level).unsqueeze(0));
        const std::int64_t count = std::min(kPiece / 2, heard.size(2) - first / 2);
        heard.narrow(2, first / 2, count).copy_(piece.narrow(2, (first - from) / 2, count));
    }
    return heard;
}

double deviation(const at::Tensor& values) {
    return values.size(0) > 1 ? values.std().item<double>() : 0.0;
}

/// [n, 1]: 0 where a stretch begins or ends in the middle of a shot's course, 1 from kJoin_s on.
at::Tensor joins(const std::vector<double>& times, bool fade_in, bool fade_out) {
    const at::Tensor weight = at::empty({static_cast<std::int64_t>(times.size()), 1});
    for (std::size_t i = 0; i < times.size(); ++i) {
        double within = kJoin_s;
        if (fade_in) within = std::min(within, times[i] - times.front());
        if (fade_out) within = std::min(within, times.back() - times[i]);
        weight[static_cast<std::int64_t>(i)][0] = geometry::smooth_step(within, 0, kJoin_s);
    }
    return weight;
}

}  // namespace

PlanOptions plan_options(const EngineOptions& asked) {
    PlanOptions options;
    if (asked.steps > 0) options.steps = asked.steps;
    if (asked.guidance > 0) options.guidance = asked.guidance;
    options.seed = asked.seed;
    return options;
}

Utterance listen(const MotionNet& net, const Voice& voice) {
    const std::unique_ptr<SpeechSource> source = voice.open(speech::kRateHz);
    speech::MelReader reader;
    for (std::int64_t got = kBlock; got == kBlock;) {
        const at::Tensor block = at::empty({kBlock}, at::kFloat);
        got = static_cast<std::int64_t>(
            source->read({block.mutable_data_ptr<float>(), static_cast<std::size_t>(kBlock)}));
        reader.add(block.narrow(0, 0, got));
    }
    const at::Tensor power = reader.finish();
    const at::Tensor active = at::constant_pad_nd(speech::activity(power), {1, 1}).unsqueeze(1);
    return {hear_all(net, power), active, voice.start_s};
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

namespace {

/// [kComponents]: the likeliest way to change the opening alone by 1, as the basis' variances have it.
at::Tensor way_to_open(const MotionBasis& basis) {
    const at::Tensor lips = basis.opening_of();
    const at::Tensor likely = lips * basis.deviation.square();
    return likely / at::matmul(likely, lips);
}

/// The motion nearest to `offsets` that has their very opening: what of it lies beside the components would stay in the
/// picture whatever is planned.
at::Tensor motion_of(const at::Tensor& offsets, const MotionBasis& basis) {
    const at::Tensor motion = basis.encode(offsets);
    const at::Tensor beside = opening(offsets) - at::matmul(motion, basis.opening_of());
    return motion + beside.unsqueeze(1) * way_to_open(basis);
}

/// What the speech asks for on the motion grid, of the speaker's own amplitude, lips closed where they should be.
at::Tensor speak(const MotionPlan& plan, const MotionBasis& basis, const Habit& habit, double strength) {
    const at::Tensor lips = basis.opening_of();
    const double planned = deviation(at::matmul(plan.motion, lips));
    const double wanted = habit.spread < kLeastSpread ? kAverageSpread : habit.spread;
    const double gain = planned > 1e-3 ? std::clamp(wanted / planned, kLeastGain, kMostGain) * strength : 1;
    const at::Tensor spoken = plan.motion * gain;
    const double rest = at::matmul(habit.rest, lips).item<double>();
    const at::Tensor closing = closures(at::matmul(spoken, lips), rest, wanted);
    return spoken - closing.unsqueeze(1) * way_to_open(basis);
}

/// Adds `moved` [n, kMotionPoints, 2] to the landmarks. Seen from the side, sideways movement is shorter. The jaw's
/// outline goes down and up; what the components have of its sides going in and out would bend hair and background.
void move_points(const at::Tensor& landmarks, const at::Tensor& moved, const std::vector<const FaceFrame*>& faces) {
    static const at::Tensor sides =
        at::tensor({0.3F, 0.6F, 0.85F, 1.F, 1.F, 1.F, 0.85F, 0.6F, 0.3F}).view({1, kJawPoints, 1});
    std::vector<float> shorter;
    for (const FaceFrame* face : faces)
        shorter.push_back(static_cast<float>(std::cos(face->pose.yaw * std::numbers::pi / 180)));
    moved.select(2, 0).mul_(at::tensor(shorter).unsqueeze(1));
    const at::Tensor jaw = moved.narrow(1, 0, kJawPoints) * sides;
    jaw.select(2, 0).mul_(kJawSideways);
    landmarks.narrow(1, kJawFirst, kJawPoints).add_(jaw);
    landmarks.narrow(1, kMouthFirst, kMouthPoints).add_(moved.narrow(1, kJawPoints, kMouthPoints));
}

/// Lips may touch, not cross: inner pairs that would are put where they meet.
void uncross_lips(const at::Tensor& landmarks) {
    for (const auto& [above, below] : {std::pair{61, 67}, {62, 66}, {63, 65}}) {
        const at::Tensor upper = landmarks.select(1, above).select(1, 1);
        const at::Tensor lower = landmarks.select(1, below).select(1, 1);
        const at::Tensor over = (upper - lower).clamp_min(0) / 2;
        upper.sub_(over);
        lower.add_(over);
    }
}

}  // namespace

void plan(Performance& performance, const EngineJob& job, const MotionNet& net, const MotionBasis& basis,
          const Habit& habit, const Utterance& utterance) {
    std::vector<double> times;  // of the utterance
    std::vector<const FaceFrame*> faces;
    std::vector<at::Tensor> landmarks;
    for (std::int64_t i = 0; i < performance.length; ++i) {
        const Shown& shown = job.shown[static_cast<std::size_t>(performance.first + i)];
        times.push_back(shown.time_s - utterance.start_s);
        faces.push_back(performance.track->at(shown.frame));
        landmarks.push_back(canonical_landmarks(*faces.back()));
    }
    performance.targets = at::cat(landmarks);
    const at::Tensor own = motion_of(motion_points(performance.targets) - habit.shape_of(faces), basis);

    PlanOptions options = plan_options(job.options);
    options.track = static_cast<std::uint32_t>(performance.track->id);
    options.first = static_cast<std::int64_t>(std::floor(times.front() * kMotionRateHz));
    const auto last = static_cast<std::int64_t>(std::ceil(times.back() * kMotionRateHz));
    std::vector<double> grid;
    for (std::int64_t i = options.first; i <= last; ++i) grid.push_back(static_cast<double>(i) / kMotionRateHz);
    const MotionPlan made = plan_motion(net, utterance.heard, read_uneven(own, times, grid), habit.style, options);

    const at::Tensor spoken =
        read_curve(speak(made, basis, habit, job.options.strength), grid.front(), kMotionRateHz, times);
    const at::Tensor active = read_curve(utterance.activity, -1 / kActivityRateHz, kActivityRateHz, times).clamp(0, 1);
    const at::Tensor motion = habit.rest + (spoken - habit.rest) * active;

    const std::int64_t after = performance.first + performance.length;
    const std::int64_t first_frame = job.shown[static_cast<std::size_t>(performance.first)].frame;
    const std::int64_t last_frame = job.shown[static_cast<std::size_t>(after - 1)].frame;
    const bool begins_within = performance.track->at(first_frame - 1) != nullptr && performance.first > 0;
    const bool ends_within =
        performance.track->at(last_frame + 1) != nullptr && after < static_cast<std::int64_t>(job.shown.size());
    const at::Tensor change = (motion - own) * joins(times, begins_within, ends_within);
    move_points(performance.targets, basis.decode(change), faces);
    uncross_lips(performance.targets);
}

}  // namespace omnisync::portable
