#include "engines/portable/performance.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "engines/portable/closures.h"
#include "engines/portable/course.h"
#include "engines/portable/curve.h"
#include "engines/portable/exemplars.h"
#include "engines/read_voice.h"
#include "geometry/warp.h"
#include "speech/activity.h"
#include "speech/log_mel.h"

namespace omnisync::portable {
namespace {

constexpr double kActivityRateHz = 100;
constexpr std::int64_t kPiece = 1000, kContext = 80;  // mel frames: 10 s; more than the ear's reach
constexpr double kJoin_s = 0.12;                      // over which a plan takes over from the picture's own motion
// Of the lips' opening, where the speaker's own is not known.
constexpr double kAverageSpread = 1.8;
constexpr double kLeastGain = 0.6;
constexpr double kMostGain = 2.5;
constexpr double kKnee = 0.6;        // of the way from rest to the widest: from there on motion is held back
constexpr double kLeastReach = 3;    // spreads from rest to the widest, whatever the footage shows
constexpr double kUsualReach = 1.5;  // deviations of a component that may be planned for anybody
// What is drawn and found again has about 1.25 of a plan's abruptness and 0.9 square canonical pixels besides (measured
// on three clips): a plan may have kHaste of the speaker's own less kAdded, but kLeastHaste of it, so that the result
// has less than 1.3 of it.
constexpr double kHaste = 0.75, kAdded = 0.6, kLeastHaste = 0.35;
constexpr double kSigmas[] = {0, 0.5, 0.7, 0.85, 1, 1.2};  // motion frames
constexpr double kGate_s = 0.05;  // deviation of the time in which lips go from rest to speech and back
constexpr double kJawSideways = 0.3;

/// hear() in pieces that overlap by what the ear listens to on both sides: a long speech needs hardly more memory.
at::Tensor hear_all(const MotionNet& net, const at::Tensor& power) {
    const speech::MelLevel level = speech::measure_level(power);
    const at::Tensor heard = at::empty({1, net.config().heard_width, (power.size(0) + 1) / 2});
    for (std::int64_t first = 0; first < power.size(0); first += kPiece) {
        const std::int64_t from = std::max<std::int64_t>(0, first - kContext);
        const std::int64_t to = std::min(power.size(0), first + kPiece + kContext);
        const at::Tensor piece = net.hear(speech::normalise(power.narrow(0, from, to - from), level).unsqueeze(0));
        const std::int64_t count = std::min(kPiece / 2, heard.size(2) - first / 2);
        heard.narrow(2, first / 2, count).copy_(piece.narrow(2, (first - from) / 2, count));
    }
    return heard;
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
    speech::MelReader reader;
    read_voice(voice, [&](const at::Tensor& block) { reader.add(block); });
    const at::Tensor power = reader.finish();
    const at::Tensor active = at::constant_pad_nd(speech::activity(power), {1, 1}).unsqueeze(1);
    return {hear_all(net, power), active, voice.start_s};
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

/// Plans on the motion grid become what this speaker would do.
class Manner {
public:
    Manner(const MotionBasis& basis, const Habit& habit, double strength)
        : habit_(habit),
          lips_(basis.opening_of()),
          open_(way_to_open(basis)),
          spread_(habit.spread < kLeastSpread ? kAverageSpread : habit.spread),
          strength_(strength),
          rest_(at::matmul(habit.rest, lips_).item<double>()) {}

    /// `motion` [n, kComponents] with the speaker's own amplitude where `active` [n], smoothed by `sigma` rows, lips
    /// closed (that is at an opening of `closed` [n]) where they should be, and nowhere beyond what the footage shows
    /// of this mouth.
    [[nodiscard]] at::Tensor of(const at::Tensor& motion, const at::Tensor& active, const at::Tensor& closed,
                                double sigma) const {
        const at::Tensor smooth = smoothed(motion, sigma);
        const auto window = static_cast<std::int64_t>(kSpeechWindow_s * kMotionRateHz);
        const double planned = travel(at::matmul(smooth, lips_), window, active);
        const double gain =
            planned > 1e-3 ? std::clamp(spread_ / planned, kLeastGain, kMostGain) * strength_ : strength_;
        const at::Tensor spoken = within_reach(smooth * gain);
        const at::Tensor opening = at::matmul(spoken, lips_);
        const double widest = std::max(habit_.widest, rest_ + kLeastReach * spread_);
        const at::Tensor top = at::scalar_tensor(widest, at::kFloat);
        const at::Tensor knee = at::scalar_tensor(rest_ + kKnee * (widest - rest_), at::kFloat);
        const at::Tensor kept = bounded(opening, knee, top) - closures(opening - closed, 0, spread_);
        return opened(spoken, kept);
    }

    /// [n, kComponents]: the mouth at rest, its opening `closed` [n].
    [[nodiscard]] at::Tensor at_rest(const at::Tensor& closed) const {
        return opened(habit_.rest.unsqueeze(0), closed);
    }

private:
    /// `motion` [n or 1, kComponents] with the opening `wanted` [n].
    [[nodiscard]] at::Tensor opened(const at::Tensor& motion, const at::Tensor& wanted) const {
        return motion + (wanted - at::matmul(motion, lips_)).unsqueeze(1) * open_;
    }

    /// Every component bounded by what the speaker does, and by what people do where that is less.
    [[nodiscard]] at::Tensor within_reach(const at::Tensor& motion) const {
        const at::Tensor high = habit_.high.clamp_min(kUsualReach);
        const at::Tensor low = habit_.low.clamp_max(-kUsualReach);
        return -bounded(-bounded(motion, high * kKnee, high), -low * kKnee, -low);
    }

    const Habit& habit_;
    at::Tensor lips_, open_;
    double spread_, strength_, rest_;
};

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

/// Lips may touch, not cross: inner pairs that would are put where they meet. Landmarks of some faces' closed lips are
/// found crossed a little (`gaps` [3]); those put side by side would be lips apart.
void uncross_lips(const at::Tensor& landmarks, const at::Tensor& gaps) {
    int pair = 0;
    for (const auto& [above, below] : {std::pair{61, 67}, {62, 66}, {63, 65}}) {
        const at::Tensor upper = landmarks.select(1, above).select(1, 1);
        const at::Tensor lower = landmarks.select(1, below).select(1, 1);
        const at::Tensor over = (upper - lower + gaps[pair++].clamp_max(0)).clamp_min(0) / 2;
        upper.sub_(over);
        lower.add_(over);
    }
}

}  // namespace

void plan(Performance& performance, const EngineJob& job, const MotionNet& net, const MotionBasis& basis,
          const Habit& habit, const Utterance& utterance) {
    std::vector<double> times;  // of the utterance
    std::vector<const FaceFrame*> faces;
    for (std::int64_t i = 0; i < performance.length; ++i) {
        const Shown& shown = job.shown[static_cast<std::size_t>(performance.first + i)];
        times.push_back(shown.time_s - utterance.start_s);
        faces.push_back(performance.track->at(shown.frame));
    }
    performance.targets = geometry::canonical_landmarks(faces);
    const at::Tensor shape = habit.shape_of(faces);
    const at::Tensor own = motion_of(motion_points(performance.targets) - shape, basis);
    const at::Tensor closed = habit.closed - opening(shape);  // what opening of motion closes the lips, as heads turn

    PlanOptions options = plan_options(job.options);
    options.track = static_cast<std::uint32_t>(performance.track->id);
    options.first = static_cast<std::int64_t>(std::floor(times.front() * kMotionRateHz));
    const auto last = static_cast<std::int64_t>(std::ceil(times.back() * kMotionRateHz));
    std::vector<double> grid;
    for (std::int64_t i = options.first; i <= last; ++i) grid.push_back(static_cast<double>(i) / kMotionRateHz);
    const MotionPlan made = plan_motion(net, utterance.heard, read_uneven(own, times, grid), habit.style, options);

    const Manner manner(basis, habit, job.options.strength);
    const at::Tensor heard = read_curve(utterance.activity, -1 / kActivityRateHz, kActivityRateHz, grid).squeeze(1);
    const at::Tensor closed_on_grid = read_uneven(closed.unsqueeze(1), times, grid).squeeze(1);
    const at::Tensor gate = smoothed(utterance.activity, kGate_s * kActivityRateHz);
    const at::Tensor active = read_curve(gate, -1 / kActivityRateHz, kActivityRateHz, times).clamp(0, 1);
    const at::Tensor rest = manner.at_rest(closed);
    const double most = std::max(kHaste * habit.pace - kAdded, kLeastHaste * habit.pace);
    at::Tensor motion;
    for (const double sigma : kSigmas) {
        const at::Tensor spoken =
            read_curve(manner.of(made.motion, heard, closed_on_grid, sigma), grid.front(), kMotionRateHz, times);
        motion = rest + (spoken - rest) * active;
        if (abruptness(at::matmul(motion, basis.opening_of())) <= most) break;
    }

    const std::int64_t after = performance.first + performance.length;
    const std::int64_t first_frame = job.shown[static_cast<std::size_t>(performance.first)].frame;
    const std::int64_t last_frame = job.shown[static_cast<std::size_t>(after - 1)].frame;
    const bool begins_within = performance.track->at(first_frame - 1) != nullptr && performance.first > 0;
    const bool ends_within =
        performance.track->at(last_frame + 1) != nullptr && after < static_cast<std::int64_t>(job.shown.size());
    const at::Tensor change = (motion - own) * joins(times, begins_within, ends_within);
    move_points(performance.targets, basis.decode(change), faces);
    uncross_lips(performance.targets, habit.gaps);
}

}  // namespace omnisync::portable
