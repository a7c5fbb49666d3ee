#include "engines/portable/redraw.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <utility>

#include "compositing/patch.h"
#include "compositing/proposal.h"
#include "engines/portable/fade.h"
#include "engines/portable/interior.h"
#include "geometry/lower_face.h"
#include "ops/noise.h"

namespace omnisync::portable {
namespace {

// Mean distance of mouth points, canonical pixels: up to here a borrowed mouth fits, from there it does not.
constexpr double kFits = 1.2, kDoesNot = 3;

at::Tensor face_noise(std::uint64_t seed) {
    at::Tensor noise = at::empty({1, 3, geometry::kWindowSide, geometry::kWindowSide});
    ops::fill_noise(noise, 0, {.seed = seed});
    return noise;
}

}  // namespace

Corrector::Corrector(weights::Parameters weights, std::uint64_t seed)
    : weights_(std::move(weights)), net_(weights::Scope(weights_)), noise_(face_noise(seed)) {
    net_.fix();
}

double Corrector::need(const Wish& wish) {
    const double apart = (wish.exemplar->mouth - mouth_of(wish.target)[0]).abs().mean().item<double>();
    return geometry::smooth_step(apart, kFits, kDoesNot);
}

compositing::DrawnProposal Corrector::draw(const FacePatch& patch, const compositing::Area& area, const Wish& wish,
                                           double share) const {
    const auto for_net = [](const compositing::FacePictures& pictures) {
        compositing::FacePictures small = compositing::shrink_to_canonical(pictures);
        small.pixels = small.pixels * 2 - 1;
        return small;
    };
    const RenderCondition condition = render_condition(for_net(patch.picture), for_net(wish.exemplar->picture),
                                                       for_net(wish.second->picture), wish.target);
    const at::Tensor correction = sample_correction(net_, condition, noise_, {}) * share;
    correction.narrow(1, 0, 3).mul_(0.5);  // of colours -1 .. 1; those of frames are 0 .. 1
    const compositing::Proposal made =
        apply_correction(correction, patch.picture, wish.exemplar->picture, wish.second->picture, wish.target,
                         compositing::points_of(patch.to_canonical, area));
    return {made.blended[0], made.edit[0]};
}

namespace {

compositing::FacePictures borrowed(const FacePatch& patch, const Wish& wish) {
    const auto picture = [&](const Exemplar* one) { return one == nullptr ? crisp(patch.picture) : one->picture; };
    return wish.share > 0 ? towards(picture(wish.exemplar), picture(wish.next), wish.share) : picture(wish.exemplar);
}

}  // namespace

void redraw(const Frame& frame, const VideoInfo& video, const FaceFrame& face, const Wish& wish,
            const Corrector* corrector) {
    const FacePatch patch = cut_face(frame, video, face);
    if (patch.area.width == 0) return;
    const compositing::Area area = patch.area_of(frame, geometry::edit_bounds(wish.target, patch.picture.landmarks));
    if (area.width == 0) return;
    const double share = corrector == nullptr ? 0 : Corrector::need(wish);
    const compositing::DrawnProposal made =
        share > 0
            ? corrector->draw(patch, area, wish, share)
            : compositing::draw_proposal(patch.picture, borrowed(patch, wish), wish.target, patch.to_canonical, area);
    const double dark = unseen_interior(
        wish.target, wish.exemplar == nullptr ? patch.picture.landmarks : wish.exemplar->picture.landmarks);
    if (dark > 0) darken_interior(made.pixels, wish.target, compositing::points_of(patch.to_canonical, area), dark);
    const at::Tensor before = patch.picture.pixels[0]
                                  .narrow(1, area.y - patch.area.y, area.height)
                                  .narrow(2, area.x - patch.area.x, area.width);
    compositing::blend_patch(frame, video.colour, area, before, made.pixels, made.edit);
}

}  // namespace omnisync::portable
