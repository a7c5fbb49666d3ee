#include "engines/portable/fade.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/linalg_inv.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/meshgrid.h>
#include <ATen/ops/stack.h>

#include "geometry/lower_face.h"

namespace omnisync::portable {
namespace {

constexpr double kFine = 2;  // canonical pixels: deviation of the Gaussian that tells detail from the large
constexpr int kReach = 5;    // of it

/// [1, 3, H, W] under the Gaussian.
at::Tensor blurred(const at::Tensor& pixels) {
    const at::Tensor bell = (at::arange(-kReach, kReach + 1, at::kFloat).square() / (-2 * kFine * kFine)).exp();
    const at::Tensor taps = (bell / bell.sum()).view({1, 1, 1, -1}).expand({3, 1, 1, -1});
    const at::Tensor across = at::conv2d(pixels, taps, {}, {1, 1}, at::IntArrayRef{0, kReach}, {1, 1}, 3);
    return at::conv2d(across, taps.transpose(2, 3), {}, {1, 1}, at::IntArrayRef{kReach, 0}, {1, 1}, 3);
}

/// Where the pixels of `pictures` lie on the canonical face: [H, W, 2].
at::Tensor canonical_points(const compositing::FacePictures& pictures) {
    const auto axis = [&](std::int64_t size) { return at::arange(size, at::kFloat); };
    const auto grids = at::meshgrid({axis(pictures.pixels.size(2)), axis(pictures.pixels.size(3))}, "ij");
    const at::Tensor places = at::stack({grids[1], grids[0]}, -1);
    const at::Tensor map = pictures.to_pixels[0];
    return at::matmul(places - map.select(1, 2), at::linalg_inv(map.narrow(1, 0, 2)).t());
}

}  // namespace

compositing::FacePictures towards(const compositing::FacePictures& one, const compositing::FacePictures& other,
                                  float share) {
    const at::Tensor points = geometry::window_points();
    const geometry::Mattes mattes = geometry::mattes(one.landmarks, one.landmarks, points);
    const at::Tensor from = look_through(compositing::shrink_to_canonical(one), points, {});
    const at::Tensor to = look_through(compositing::shrink_to_canonical(other), points,
                                       geometry::region_warp(one.landmarks, other.landmarks, points));
    const at::Tensor ring = mattes.ring.unsqueeze(1);
    const at::Tensor apart = to - from;
    const at::Tensor shade = (apart * ring).sum({2, 3}, true) / ring.sum().clamp_min(1e-3);
    const at::Tensor wanted = blurred((apart - shade) * mattes.mouth.unsqueeze(1)) * share;
    return {one.pixels + geometry::read_window(wanted, canonical_points(one)), one.to_pixels, one.landmarks};
}

}  // namespace omnisync::portable
