#include "compositing/draw_proposal.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>

#include <algorithm>

#include "geometry/lower_face.h"
#include "kernels/face_warp.h"

namespace omnisync::compositing {
namespace {

/// Nodes over the region, as the kernel reads them; `values` [rows, columns, up to 4].
struct Nodes {
    at::Tensor values;
    kernels::NodeGrid grid;

    Nodes(const at::Tensor& from, int step)
        : values(at::constant_pad_nd(from, {0, 4 - from.size(2)}).contiguous()),
          grid{values.const_data_ptr<float>(),
               static_cast<std::int32_t>(values.size(0)),
               static_cast<std::int32_t>(values.size(1)),
               geometry::kRegionX,
               geometry::kRegionY,
               1.F / static_cast<float>(step)} {}
};

/// A picture whose colours lie as the kernel reads them.
struct View {
    at::Tensor pixels;
    kernels::FaceView view;

    explicit View(const FacePictures& pictures) : pixels(pictures.pixels[0]) {
        if (pixels.stride(2) != 1) pixels = pixels.contiguous();
        view = {pixels.const_data_ptr<float>(), pixels.stride(0), pixels.stride(1),
                static_cast<std::int32_t>(pixels.size(1)), static_cast<std::int32_t>(pixels.size(2))};
        const at::Tensor map = pictures.to_pixels.contiguous();
        std::copy_n(map.const_data_ptr<float>(), 6, view.to_pixels);
    }
};

}  // namespace

DrawnProposal draw_proposal(const FacePictures& source, const FacePictures& exemplar, const at::Tensor& target,
                            const Affine& to_canonical, const Area& area) {
    const auto warp = [&](const FacePictures& from) { return geometry::warp_nodes(target, from.landmarks)[0]; };
    const Nodes warps(at::cat({warp(source), warp(exemplar)}, 2), geometry::kWarpStep);
    const Nodes mattes(geometry::matte_nodes(target, source.landmarks)[0].permute({1, 2, 0}), geometry::kMatteStep);
    const View frame(source), lent(exemplar);

    DrawnProposal drawn{at::empty({3, area.height, area.width}), at::empty({area.height, area.width})};
    const at::Tensor mouth = at::empty({area.height, area.width});
    const at::Tensor sums = at::empty({area.height, 4});
    const Affine& to = to_canonical;
    kernels::FaceWarp job;
    job.area = {area.x, area.y, area.width, area.height};
    const double map[] = {to.xx, to.xy, to.dx, to.yx, to.yy, to.dy};
    std::copy_n(map, 6, job.to_canonical);
    job.mattes = mattes.grid;
    job.warps = warps.grid;
    job.source = frame.view;
    job.exemplar = lent.view;
    job.made = drawn.pixels.mutable_data_ptr<float>();
    job.mouth = mouth.mutable_data_ptr<float>();
    job.edit = drawn.edit.mutable_data_ptr<float>();
    job.sums = sums.mutable_data_ptr<float>();
    kernels::face_warp_cpu(job, {0, kernels::face_warp_tasks(job)});

    const at::Tensor difference = sums.sum(0);  // red, green, blue, weight: what the exemplar's skin lacks
    const at::Tensor shade = difference.narrow(0, 0, 3) / difference[3].clamp_min(1e-3);
    drawn.pixels.addcmul_(shade.view({3, 1, 1}), mouth);
    return drawn;
}

}  // namespace omnisync::compositing
