#include "engines/portable/exemplars.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/canonical_face.h"
#include "geometry/lower_face.h"
#include "omnisync/error.h"
#include "omnisync/picture.h"

namespace omnisync::portable {
namespace {

// How many canonical pixels of mouth a degree of turning is worth, and a blur of the whole scale.
constexpr float kYawWeight = 0.15F;
constexpr float kPitchWeight = 0.1F;
constexpr float kSharpnessWeight = 2;
// And of lips further apart or corners wider: teeth that show, and a grin, are seen at once.
constexpr float kOpeningWeight = 0.25F;
constexpr float kWidthWeight = 0.08F;
constexpr float kTakenCost = 100;
// An open mouth squeezed shut keeps its teeth, a closed one pulled open shows none: cost of a factor e between
// openings.
constexpr float kStretchWeight = 0.6F;
constexpr float kLipLine = 2;  // canonical pixels that closed lips count as
// Of going over to another exemplar: at all, and for each tenth of luma between their looks when the mouth is open.
constexpr float kChangeCost = 1.2F;
constexpr float kLookWeight = 1.5F;
constexpr float kWideOpen = 5;        // canonical pixels of opening from which looks count in full
constexpr float kFast = 2;            // canonical pixels a frame: movement that hides half of a change
constexpr float kOwnLook = 0.06F;     // how unlike an exemplar a frame's own mouth is taken to look
constexpr float kOwnWorth = 0.1F;     // of the frame's own mouth: its light, blur and grain are right
constexpr double kCrisp = 0.15;       // of a pixel's difference from its neighbours, added
constexpr float kTooBlurred = 0.85F;  // of the median sharpness: not to be borrowed
constexpr std::size_t kFewest = 12;   // frames to choose from, blurred or not

struct Candidate {
    const FaceTrack* track;
    std::int64_t frame;
    const FaceFrame* face;
    at::Tensor mouth;
};

float pose_distance(float yaw_a, float pitch_a, float yaw_b, float pitch_b) {
    return kYawWeight * std::abs(yaw_a - yaw_b) + kPitchWeight * std::abs(pitch_a - pitch_b);
}

float distance(const Candidate& a, const Candidate& b) {
    const float mouth = (a.mouth - b.mouth).abs().mean().item<float>();
    return mouth + pose_distance(a.face->pose.yaw, a.face->pose.pitch, b.face->pose.yaw, b.face->pose.pitch);
}

/// Farthest-point choice: every next one is the one least like all before; blurred ones count as nearer.
std::vector<Candidate> spread(const std::vector<Candidate>& all, std::size_t most) {
    std::vector<Candidate> chosen;
    std::vector<float> nearest(all.size(), std::numeric_limits<float>::max());
    std::size_t next = 0;
    for (std::size_t i = 1; i < all.size(); ++i)
        if (all[i].face->quality.sharpness > all[next].face->quality.sharpness) next = i;
    while (chosen.size() < std::min(most, all.size())) {
        chosen.push_back(all[next]);
        nearest[next] = -1;
        float best = -1;
        std::size_t farthest = all.size();
        for (std::size_t i = 0; i < all.size(); ++i) {
            if (nearest[i] < 0) continue;
            nearest[i] = std::min(nearest[i], distance(all[i], chosen.back()));
            const float worth = nearest[i] * (0.5F + all[i].face->quality.sharpness);
            if (worth > best) {
                best = worth;
                farthest = i;
            }
        }
        if (farthest == all.size() || nearest[farthest] < 0.05F) break;  // the rest is the same again
        next = farthest;
    }
    return chosen;
}

/// [n] of [n, 40]: the inner lips' distance.
at::Tensor opening_of(const at::Tensor& mouths) {
    const auto y = [&](int first) { return mouths.narrow(1, 2 * first, 6).view({-1, 3, 2}).select(2, 1).mean(1); };
    return y(17) - y(13);
}

/// Without those that lie far below the median of sharpness, as long as enough are left.
void leave_out_blurred(std::vector<Candidate>& all) {
    if (all.size() <= kFewest) return;
    const auto sharpness = [](const Candidate& one) { return one.face->quality.sharpness; };
    std::vector<float> values;
    for (const Candidate& one : all) values.push_back(sharpness(one));
    std::sort(values.begin(), values.end());
    const float least = std::min(kTooBlurred * values[values.size() / 2], values[values.size() - kFewest]);
    std::erase_if(all, [&](const Candidate& one) { return sharpness(one) < least; });
}

/// Frames worth looking at: editable, and not more of them than the choice can compare.
std::vector<Candidate> candidates(const Analysis& analysis, int person) {
    constexpr std::size_t kMost = 2000;
    std::vector<Candidate> all;
    for (const FaceTrack& track : analysis.tracks)
        if (track.person == person)
            for (std::int64_t f = track.first_frame; f < track.end_frame(); ++f)
                if (track.at(f)->obstacle == Obstacle::none) all.push_back({&track, f, track.at(f), {}});
    leave_out_blurred(all);
    std::vector<Candidate> some;
    const std::size_t step = all.size() / kMost + 1;
    for (std::size_t i = 0; i < all.size(); i += step) {
        some.push_back(all[i]);
        some.back().mouth = mouth_of(geometry::canonical_landmarks(*all[i].face))[0];
    }
    return some;
}

at::Tensor affine_tensor(const Affine& map) {
    return at::tensor({map.xx, map.xy, map.dx, map.yx, map.yy, map.dy}, at::kDouble).view({1, 2, 3}).to(at::kFloat);
}

}  // namespace

at::Tensor mouth_of(const at::Tensor& landmarks) {
    return landmarks.narrow(1, 48, 20).flatten(1);
}

at::Tensor unlikeness(const at::Tensor& many, const at::Tensor& one) {
    const at::Tensor apart = many - one;
    const auto stretch = [](const at::Tensor& mouths) { return (opening_of(mouths).clamp_min(0) + kLipLine).log(); };
    const at::Tensor width = apart.select(1, 2 * 6) - apart.select(1, 0);
    return apart.abs().mean(1) + kOpeningWeight * opening_of(apart).abs() + kWidthWeight * width.abs() +
           kStretchWeight * (stretch(many) - stretch(one.unsqueeze(0))).abs();
}

compositing::Area FacePatch::area_of(const Frame& frame, const geometry::Bounds& bounds) const {
    constexpr double kMargin = 3;  // stored pixels, for the interpolation at the edge
    const Affine from = inverse(to_canonical);
    double x0 = 1e9, y0 = 1e9, x1 = -1e9, y1 = -1e9;
    for (const double cx : {bounds.x0, bounds.x1})
        for (const double cy : {bounds.y0, bounds.y1}) {
            const double x = from.xx * cx + from.xy * cy + from.dx;
            const double y = from.yx * cx + from.yy * cy + from.dy;
            x0 = std::min(x0, x - kMargin), x1 = std::max(x1, x + kMargin);
            y0 = std::min(y0, y - kMargin), y1 = std::max(y1, y + kMargin);
        }
    return compositing::area_around(frame, x0, y0, x1, y1);
}

FacePatch cut_face(const Frame& frame, const VideoInfo& video, const FaceFrame& face) {
    constexpr geometry::Bounds kRegion{geometry::kRegionX, geometry::kRegionY,
                                       geometry::kRegionX + geometry::kRegionWidth,
                                       geometry::kRegionY + geometry::kRegionHeight};
    FacePatch patch;
    patch.to_canonical = stored_to_canonical(video, face.to_canonical);
    patch.area = patch.area_of(frame, kRegion);
    if (patch.area.width < 2 || patch.area.height < 2) {
        patch.area = {};
        return patch;
    }
    Affine to_pixels = inverse(patch.to_canonical);
    to_pixels.dx -= patch.area.x;
    to_pixels.dy -= patch.area.y;
    patch.picture = {compositing::read_patch(frame, video.colour, patch.area).unsqueeze(0), affine_tensor(to_pixels),
                     geometry::canonical_landmarks(face)};
    return patch;
}

compositing::FacePictures crisp(compositing::FacePictures picture) {
    const at::Tensor around = at::avg_pool2d(picture.pixels, {3, 3}, {1, 1}, {1, 1}, false, false);
    picture.pixels = picture.pixels + kCrisp * (picture.pixels - around);
    return picture;
}

std::vector<ExemplarBank> ExemplarBank::study(const EngineJob& job) {
    std::map<int, ExemplarBank> banks;
    std::multimap<std::int64_t, Candidate> wanted;  // by frame
    for (const Role& role : job.cast->roles) {
        if (banks.contains(role.person)) continue;
        banks[role.person].person_ = role.person;
        for (const Candidate& one : spread(candidates(*job.analysis, role.person), kMostExemplars))
            wanted.emplace(one.frame, one);
    }
    const auto video = job.open_video();
    std::int64_t index = 0;
    for (auto next = wanted.begin(); next != wanted.end(); ++index) {
        const std::optional<Frame> frame = video->next();
        if (!frame) break;
        for (; next != wanted.end() && next->first == index; ++next) {
            const Candidate& one = next->second;
            FacePatch patch = cut_face(*frame, job.video, *one.face);
            if (patch.area.width == 0) continue;
            patch.picture = crisp(std::move(patch.picture));
            banks[one.track->person].exemplars_.push_back({one.track->id,
                                                           index,
                                                           patch.picture,
                                                           one.mouth,
                                                           one.face->pose.yaw,
                                                           one.face->pose.pitch,
                                                           one.face->quality.sharpness,
                                                           {}});
        }
    }
    std::vector<ExemplarBank> made;
    for (auto& [person, bank] : banks) {
        bank.compare_looks();
        made.push_back(std::move(bank));
    }
    return made;
}

void ExemplarBank::compare_looks() {
    const std::size_t count = exemplars_.size();
    if (count == 0) return;
    std::vector<at::Tensor> landmarks;
    for (const Exemplar& one : exemplars_) landmarks.push_back(one.picture.landmarks);
    const at::Tensor middle = at::cat(landmarks).mean(0, true);
    const at::Tensor points = geometry::window_points();
    const at::Tensor within = geometry::mattes(middle, middle, points).mouth[0] > 0.5;
    for (Exemplar& one : exemplars_) {
        const at::Tensor warp = geometry::region_warp(middle, one.picture.landmarks, points);
        const at::Tensor seen = look_through(compositing::shrink_to_canonical(one.picture), points, warp)[0];
        const at::Tensor luma = (seen * at::tensor({0.299F, 0.587F, 0.114F}).view({3, 1, 1})).sum(0);
        one.look = luma.masked_select(within);
        one.look = one.look - one.look.mean();
    }
    look_apart_.resize(count * count);
    for (std::size_t a = 0; a < count; ++a)
        for (std::size_t b = 0; b < count; ++b)
            look_apart_[a * count + b] = (exemplars_[a].look - exemplars_[b].look).abs().mean().item<float>();
}

std::vector<std::size_t> ExemplarBank::choose(const Wanted& wanted) const {
    const auto frames = static_cast<std::size_t>(wanted.mouths.size(0));
    const std::size_t lent = exemplars_.size();
    if (lent == 0 || frames == 0) return {};
    const std::size_t states = lent + (wanted.own.defined() ? 1 : 0);
    static_assert(kMostExemplars < 256);
    std::vector<at::Tensor> mouths;
    float sharpest = 0;
    for (const Exemplar& one : exemplars_) {
        mouths.push_back(one.mouth);
        sharpest = std::max(sharpest, one.sharpness);
    }
    const at::Tensor bank = at::stack(mouths);
    const at::Tensor openings = opening_of(wanted.mouths).contiguous();
    const float* const open = openings.const_data_ptr<float>();
    const auto apart = [&](std::size_t a, std::size_t b) {
        return a < lent && b < lent ? look_apart_[a * lent + b] : kOwnLook;
    };
    std::vector<std::vector<std::uint8_t>> came_from(frames, std::vector<std::uint8_t>(states));
    std::vector<float> cost(states, 0), next(states), unlike(states);
    for (std::size_t f = 0; f < frames; ++f) {
        const auto row = static_cast<std::int64_t>(f);
        const at::Tensor to_bank = unlikeness(bank, wanted.mouths[row]).contiguous();
        for (std::size_t s = 0; s < lent; ++s) {
            const Exemplar& one = exemplars_[s];
            unlike[s] = to_bank.const_data_ptr<float>()[s] +
                        pose_distance(one.yaw, one.pitch, wanted.yaw[f], wanted.pitch[f]) +
                        kSharpnessWeight * (sharpest - one.sharpness) +
                        (!wanted.taken.empty() && wanted.taken[f] == s ? kTakenCost : 0);
        }
        if (states > lent)
            unlike[lent] = unlikeness(wanted.own.narrow(0, row, 1), wanted.mouths[row]).item<float>() +
                           kSharpnessWeight * std::max(0.F, sharpest - wanted.own_sharpness[f]) - kOwnWorth;
        // A change is seen in an open mouth, and less while it moves.
        const float seen = kLookWeight * 10 * std::clamp(open[f] / kWideOpen, 0.F, 1.F);
        const float speed = f == 0 ? 0 : std::abs(open[f] - open[f - 1]);
        const float shown = 1 / (1 + speed / kFast);
        for (std::size_t s = 0; s < states; ++s) {
            std::size_t from = s;
            float least = cost[s];
            for (std::size_t p = 0; f > 0 && p < states; ++p) {
                if (p == s) continue;
                const float change = cost[p] + (kChangeCost + seen * apart(p, s)) * shown;
                if (change < least) least = change, from = p;
            }
            came_from[f][s] = static_cast<std::uint8_t>(from);
            next[s] = least + unlike[s];
        }
        const float best = *std::min_element(next.begin(), next.end());
        for (std::size_t s = 0; s < states; ++s) cost[s] = next[s] - best;
    }
    std::vector<std::size_t> path(frames);
    path.back() = static_cast<std::size_t>(std::min_element(cost.begin(), cost.end()) - cost.begin());
    for (std::size_t f = frames - 1; f > 0; --f) path[f - 1] = came_from[f][path[f]];
    return path;
}

}  // namespace omnisync::portable
