#include "tracking/face_follower.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "base/median.h"
#include "tracking/face_look.h"
#include "tracking/geometry.h"
#include "tracking/series.h"

namespace omnisync::tracking {
namespace {

// Set on the shared clips; see docs/quality.md for what they give.
constexpr float kMostSpread = 0.055F;       // Fit::spread of what may be a face
constexpr float kLeastLikeness = 0.55F;     // to its own print: below, something else is there
constexpr float kMostDisagreement = 0.09F;  // between flow and fit, as a share of the box
constexpr float kFlowError = 1.5F;          // pixels of the patch
constexpr double kLookScore = -0.5;         // of the detector at a place where a face is expected

// How much a landmark tells of the head's own movement: eyes and nose most, the outline slides, the mouth talks.
float steadiness(std::size_t landmark) {
    if (landmark < 17) return 0.25F;
    if (landmark >= 48) return 0.2F;
    return 1;
}

Landmarks mapped(const Landmarks& points, const Similarity& by) {
    Landmarks result;
    std::transform(points.begin(), points.end(), result.begin(), [&](Point p) { return by(p); });
    return result;
}

// The box's own turn is followed by the fit only beyond what the model knows by itself.
Similarity with_gentle_turn(const Similarity& placement) {
    constexpr double kKnown = 0.14;  // radians: 8 degrees
    const double angle = placement.angle_rad();
    const double kept = angle > kKnown ? angle - kKnown : angle < -kKnown ? angle + kKnown : 0;
    const double scale = placement.scale();
    const Point middle = placement({0.5F, 0.5F});
    const double a = scale * std::cos(kept);
    const double b = scale * std::sin(kept);
    return {a, b, middle.x - 0.5 * a + 0.5 * b, middle.y - 0.5 * b - 0.5 * a};
}

bool sane(const Similarity& move, double side) {
    const double scale = move.scale();
    if (!(scale > 0.8 && scale < 1.25) || !(std::abs(move.angle_rad()) < 0.5)) return false;
    const Point middle{static_cast<float>(side / 2), static_cast<float>(side / 2)};
    return distance(move(middle), middle) < side * 0.35;
}

// Whether a face can be there: not far beyond the picture, not out of all proportion.
bool possible(const Similarity& placement, const GrayView& picture) {
    const double side = placement.scale();
    const Point middle = placement({0.5F, 0.5F});
    const auto inside = [&](double value, int length) { return value > -0.4 * side && value < length + 0.4 * side; };
    return side > 8 && side < 2.0 * std::max(picture.width, picture.height) && inside(middle.x, picture.width) &&
           inside(middle.y, picture.height);
}

// How the face as a whole went from one frame to the next, in pixels of the patch.
struct Movement {
    Similarity by;
    float support = 0;  // share of the landmarks that went along
};

Movement movement(const Landmarks& from, const Flow& flow) {
    std::array<float, kLandmarks> weights{};
    float all = 0;
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        all += steadiness(i);
        const float error = flow.error[i];
        weights[i] = error < 0 ? 0 : steadiness(i) / (1 + error * error / (kFlowError * kFlowError));
    }
    Movement result;
    result.by = fit_most(from, flow.points, weights, 3.0F);
    float kept = 0;
    for (const float weight : weights) kept += weight;
    result.support = kept / all;
    if (!sane(result.by, Patch::kSide)) return {};
    return result;
}

}  // namespace

float likeness(const FacePrint& a, const FacePrint& b) {
    float sum = 0;
    for (std::size_t i = 0; i < a.values.size(); ++i) sum += a.values[i] * b.values[i];
    return sum;
}

FacePrint print_of(const Patch& patch, const Pyramid& pyramid, const Similarity& placement) {
    constexpr int kLevel = 2;
    const cv::Mat& picture = pyramid[2 * kLevel];  // each level is followed by its derivatives
    const double shrink = static_cast<double>(picture.cols) / patch.gray.cols;
    const Similarity to_patch = chain(placement, patch.picture_to_patch());
    FacePrint print;
    float mean = 0;
    for (int row = 0; row < FacePrint::kRows; ++row)
        for (int column = 0; column < FacePrint::kColumns; ++column) {
            const Point unit{0.05F + 0.9F * (static_cast<float>(column) + 0.5F) / FacePrint::kColumns,
                             0.02F + 0.63F * (static_cast<float>(row) + 0.5F) / FacePrint::kRows};
            const Point place = to_patch(unit);
            const double x = std::clamp((place.x + 0.5) * shrink - 0.5, 0.0, picture.cols - 1.001);
            const double y = std::clamp((place.y + 0.5) * shrink - 0.5, 0.0, picture.rows - 1.001);
            const int left = static_cast<int>(x);
            const int top = static_cast<int>(y);
            const double u = x - left;
            const double v = y - top;
            const std::uint8_t* upper = picture.ptr(top) + left;
            const std::uint8_t* lower = picture.ptr(top + 1) + left;
            const auto value = static_cast<float>((1 - v) * ((1 - u) * upper[0] + u * upper[1]) +
                                                  v * ((1 - u) * lower[0] + u * lower[1]));
            print.values[static_cast<std::size_t>(row * FacePrint::kColumns + column)] = value;
            mean += value;
        }
    mean /= static_cast<float>(print.values.size());
    float square = 0;
    for (float& value : print.values) {
        value -= mean;
        square += value * value;
    }
    // Less than a grey level of contrast is noise.
    const float length = std::sqrt(square);
    const bool flat = length < std::sqrt(static_cast<float>(print.values.size()));
    for (float& value : print.values) value = flat ? 0 : value / length;
    return print;
}

struct FaceFollower::Measured {
    Landmarks points{};    // of the picture
    Similarity placement;  // by the points
    FacePrint print;
    float spread = 1;
    float likeness = 0;
    float disagreement = 0;
    float score = -10;  // the detector's, where it was asked
};

FaceFollower::Measured FaceFollower::measure(const Patch& patch, const Pyramid& pyramid,
                                             const Similarity& placement) const {
    const Similarity to_patch = patch.picture_to_patch();
    const Fit fit = fitter_->fit(patch.view(), with_gentle_turn(chain(placement, to_patch)));
    Measured found;
    found.points = mapped(fit.points, to_patch.inverse());
    found.placement = fitter_->placement_of(found.points);
    found.spread = fit.spread;
    // A shape that fell in on itself has no size to go on with.
    if (!(found.placement.scale() > 0.3 * placement.scale()) || !(found.placement.scale() < 3 * placement.scale())) {
        found.placement = placement;
        found.spread = 1;
    }
    found.print = print_of(patch, pyramid, found.placement);
    return found;
}

float FaceFollower::likeness_to_known(const FacePrint& print) const {
    return std::max(likeness(print, slow_print_), likeness(print, proved_print_));
}

FaceFollower::FaceFollower(const LandmarkFitter& fitter, const GrayView& picture, std::int64_t frame,
                           const Candidate& face, FollowTiming timing)
    : fitter_(&fitter), timing_(timing), best_score_(face.score), times_detected_(1), last_score_(face.score) {
    raw_.first_frame = frame;
    first_new_ = frame;
    place_ = place_around(face.box);
    const Patch patch = cut(picture, place_);
    pyramid_ = make_pyramid(patch);
    const Measured first = measure(patch, pyramid_, placement_of(face.box));
    // Once more from where the points say that the box should have been.
    const Measured found =
        measure(patch, pyramid_, first.spread < kMostSpread ? first.placement : placement_of(face.box));
    slow_print_ = found.print;
    proved_print_ = found.print;
    RawFace raw;
    raw.source = RawFace::Source::detected;
    raw.carried = found.points;
    raw.flow_error.fill(-1);
    Measured whole = found;
    if (!possible(whole.placement, picture)) whole.placement = placement_of(face.box);
    placement_ = whole.placement;
    whole.score = face.score;
    whole.likeness = 1;
    settle(picture, whole, true, raw);
}

Box FaceFollower::box() const {
    return box_of(placement_);
}

void FaceFollower::learn(const FacePrint& print, bool proved) {
    if (proved) proved_print_ = print;
    float square = 0;
    for (std::size_t i = 0; i < print.values.size(); ++i) {
        slow_print_.values[i] += 0.08F * (print.values[i] - slow_print_.values[i]);
        square += slow_print_.values[i] * slow_print_.values[i];
    }
    if (square > 0)
        for (float& value : slow_print_.values) value /= std::sqrt(square);
}

// Cuts the patch of the next step where the face is now, unless the old place still does.
void FaceFollower::prepare_next(const GrayView& picture) {
    const Box face = box();
    const PatchPlace fresh = place_around(face);
    const double side = place_.side;
    const bool moved = std::hypot(fresh.left + fresh.side / 2.0 - place_.left - side / 2,
                                  fresh.top + fresh.side / 2.0 - place_.top - side / 2) > 0.08 * side;
    const bool resized = fresh.side > 1.1 * side || fresh.side < 0.9 * side;
    if (!moved && !resized) return;
    place_ = fresh;
    pyramid_ = make_pyramid(cut(picture, place_));
}

void FaceFollower::settle(const GrayView& picture, const Measured& found, bool good, RawFace& face) {
    last_likeness_ = found.likeness;
    if (good) {
        placement_ = found.placement;
        last_good_ = placement_;
        points_ = found.points;
        unseen_ = 0;
        learn(found.print, face.source == RawFace::Source::detected);
    } else {
        face.source = RawFace::Source::bridged;
        ++unseen_;
    }
    face.box = box();
    face.fitted = found.points;
    // Each piece of evidence counts from "no" to "surely"; what the detector says wears off.
    const float like = std::clamp((found.likeness - 0.4F) / 0.45F, 0.0F, 1.0F);
    const float firm = std::clamp((kMostSpread - found.spread) / (kMostSpread - 0.015F), 0.0F, 1.0F);
    const float proof = std::clamp((last_score_ + 1.0F) / 1.5F, 0.0F, 1.0F) *
                        std::exp(-static_cast<float>(unproved_) / (8.0F * static_cast<float>(timing_.longest_gap)));
    face.confidence = good ? 0.35F * like + 0.3F * firm + 0.35F * proof : 0;
    face.look = look_at_face(picture, face.fitted);
    raw_.faces.push_back(face);
    prepare_next(picture);
}

// The detector's word on a face that is followed well.
bool FaceFollower::look_again(const GrayView& picture, FaceFinder& finder, Measured& found) const {
    const Box expected = box_of(found.placement);
    bool seen = false;
    for (const Candidate& candidate : finder.near(picture, expected, kLookScore))
        if (overlap(candidate.box, expected) > 0.4F) {
            found.score = std::max(found.score, candidate.score);
            seen = true;
        }
    return seen;
}

// Where following failed: the face is sought where it should have come to and where it was seen last.
bool FaceFollower::look_around(const GrayView& picture, FaceFinder& finder, const Similarity& predicted,
                               Measured& found) const {
    for (const Similarity& guess : {predicted, last_good_}) {
        std::optional<Candidate> best;
        for (const Candidate& candidate : finder.near(picture, box_of(guess), kLookScore))
            if (overlap(candidate.box, box_of(guess)) > 0.25F && (!best || candidate.score > best->score))
                best = candidate;
        if (!best) continue;
        const Patch patch = cut(picture, place_around(best->box));
        Measured there = measure(patch, make_pyramid(patch), placement_of(best->box));
        there.likeness = likeness_to_known(there.print);
        there.score = best->score;
        if (there.spread > 1.5F * kMostSpread || there.likeness < 0.5F * kLeastLikeness) continue;
        found = there;
        return true;
    }
    return false;
}

void FaceFollower::step(const GrayView& picture, FaceFinder& finder) {
    const Patch patch = cut(picture, place_);
    Pyramid now = make_pyramid(patch);
    const Similarity to_patch = patch.picture_to_patch();
    const Similarity to_picture = to_patch.inverse();
    const Landmarks before = mapped(points_, to_patch);
    const Flow flow = follow(pyramid_, now, before);
    const Movement moved = movement(before, flow);
    pyramid_ = std::move(now);
    // Where too few points went along, the face is believed to stay.
    const bool carried = moved.support > 0.25F;
    const Similarity shift = chain(chain(to_patch, moved.by), to_picture);
    const bool goes_on = carried && possible(chain(placement_, shift), picture);
    const Similarity step = goes_on ? shift : Similarity{};
    const Similarity predicted = chain(placement_, step);

    RawFace face;
    face.source = RawFace::Source::followed;
    face.carried = mapped(flow.points, to_picture);
    for (std::size_t i = 0; i < kLandmarks; ++i)
        face.flow_error[i] = flow.error[i] < 0 ? -1 : flow.error[i] * static_cast<float>(patch.step);

    Measured found = measure(patch, pyramid_, predicted);
    found.likeness = likeness_to_known(found.print);
    Series off;
    for (std::size_t i = 17; i < 48; ++i) off.push_back(distance(found.points[i], step(points_[i])));
    found.disagreement = static_cast<float>(median(std::move(off))) / static_cast<float>(placement_.scale());

    ++unproved_;
    ++age_;
    bool good = found.spread < kMostSpread && found.likeness > kLeastLikeness &&
                (!carried || found.disagreement < kMostDisagreement);
    bool proved = false;
    if (good && unseen_ == 0) {
        if (age_ % timing_.look_again == 0) proved = look_again(picture, finder, found);
    } else {
        proved = look_around(picture, finder, predicted, found);
        good = good || proved;
    }
    if (proved) {
        prove(found.score);
        face.source = RawFace::Source::detected;
    }
    good = good && possible(found.placement, picture);
    if (!good) {
        placement_ = predicted;
        points_ = mapped(points_, step);
    }
    settle(picture, found, good, face);
}

void FaceFollower::prove(float score) {
    best_score_ = std::max(best_score_, score);
    last_score_ = score;
    unproved_ = 0;
    ++times_detected_;
}

void FaceFollower::found_at(const GrayView& picture, const Candidate& where) {
    prove(where.score);
    if (seen()) return;
    const PatchPlace place = place_around(where.box);
    const Patch patch = cut(picture, place);
    Pyramid pyramid = make_pyramid(patch);
    Measured found = measure(patch, pyramid, placement_of(where.box));
    found.likeness = likeness_to_known(found.print);
    found.score = where.score;
    RawFace face = raw_.faces.back();
    face.source = RawFace::Source::detected;
    raw_.faces.pop_back();
    place_ = place;
    pyramid_ = std::move(pyramid);
    if (!possible(found.placement, picture)) found.placement = placement_of(where.box);
    settle(picture, found, true, face);
}

void FaceFollower::begin_again(int id) {
    id_ = id;
    first_new_ = raw_.first_frame;
    age_ = 0;
    best_score_ = -10;
    times_detected_ = 0;
    insisted_ = false;
    raw_.person = 0;
}

void FaceFollower::hidden() {
    RawFace& face = raw_.faces.back();
    if (face.source == RawFace::Source::bridged) return;
    face.source = RawFace::Source::bridged;
    face.confidence = 0;
    ++unseen_;
}

}  // namespace omnisync::tracking
