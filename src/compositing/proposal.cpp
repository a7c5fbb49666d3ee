#include "compositing/proposal.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/grid_sampler_2d.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>

#include "geometry/lower_face.h"

namespace omnisync::compositing {
namespace {

constexpr int kBicubic = 2;  // ATen's number
constexpr int kBorder = 1;

/// `exemplar` with the mean colour that `source` has on the ring.
at::Tensor match_colour(const at::Tensor& exemplar, const at::Tensor& source, const at::Tensor& ring) {
    const at::Tensor weight = ring.unsqueeze(1);
    const at::Tensor sum = weight.sum({2, 3}, true).clamp_min(1e-3);
    return exemplar + ((source - exemplar) * weight).sum({2, 3}, true) / sum;
}

}  // namespace

at::Tensor look_through(const FacePictures& pictures, const at::Tensor& points, const at::Tensor& warp) {
    const std::int64_t batch = pictures.pixels.size(0);
    at::Tensor places = points.dim() == 3 ? points.unsqueeze(0).expand({batch, -1, -1, -1}) : points;
    if (warp.defined()) places = places + warp;
    const auto rows = places.size(1);
    const auto columns = places.size(2);
    const at::Tensor linear = pictures.to_pixels.narrow(2, 0, 2).transpose(1, 2);
    const at::Tensor at_pixels =
        (at::matmul(places.reshape({batch, -1, 2}), linear) + pictures.to_pixels.narrow(2, 2, 1).transpose(1, 2));
    const at::Tensor last =
        at::tensor({static_cast<float>(pictures.pixels.size(3) - 1), static_cast<float>(pictures.pixels.size(2) - 1)});
    const at::Tensor grid = (at_pixels / last * 2 - 1).view({batch, rows, columns, 2});
    return at::grid_sampler_2d(pictures.pixels, grid, kBicubic, kBorder, true);
}

FacePictures shrink_to_canonical(const FacePictures& pictures) {
    const at::Tensor linear = pictures.to_pixels[0];
    const double scale = linear.select(1, 0).norm().item<double>();
    const auto times = static_cast<std::int64_t>(scale + 0.25);
    if (times < 2) return pictures;
    FacePictures small = pictures;
    small.pixels = at::avg_pool2d(pictures.pixels, {times, times}, {}, {0, 0}, true, false);
    small.to_pixels = pictures.to_pixels / static_cast<double>(times);
    small.to_pixels.select(2, 2).sub_(static_cast<double>(times - 1) / static_cast<double>(2 * times));
    return small;
}

Proposal propose(const FacePictures& source, const FacePictures& exemplar, const FacePictures& second,
                 const at::Tensor& target, const at::Tensor& points) {
    const geometry::Mattes mattes = geometry::mattes(target, source.landmarks, points);
    const auto warped = [&](const FacePictures& from) {
        return look_through(from, points, geometry::region_warp(target, from.landmarks, points));
    };
    Proposal made;
    made.source = warped(source);
    made.exemplar = match_colour(warped(exemplar), made.source, mattes.ring);
    if (second.pixels.defined()) made.second = match_colour(warped(second), made.source, mattes.ring);
    made.mouth = mattes.mouth;
    made.edit = mattes.edit;
    made.blended = made.source + (made.exemplar - made.source) * mattes.mouth.unsqueeze(1);
    return made;
}

}  // namespace omnisync::compositing
