// What a mouth could look like, borrowed from the speaker's own footage: the frame warped to the target's jaw, with the
// lips and mouth of an exemplar. Any resolution: a canonical window in training, the video's own pixels in dubbing.
#pragma once

#include <ATen/core/Tensor.h>

namespace omnisync::compositing {

/// Pictures of faces with where they are.
struct FacePictures {
    at::Tensor pixels;     ///< [B, 3, h, w] float32
    at::Tensor to_pixels;  ///< [B, 2, 3]: canonical pixels to these
    at::Tensor landmarks;  ///< [B, 68, 2], canonical
};

/// `pictures` seen through displacements: the colours at points + warp, bicubic, [B, 3, H, W]. `points` [H, W, 2] or
/// [B, H, W, 2], canonical; `warp` as region_warp gives it, or undefined for none.
[[nodiscard]] at::Tensor look_through(const FacePictures& pictures, const at::Tensor& points, const at::Tensor& warp);

/// The same faces at half, a third ... of the resolution, just above one pixel a canonical pixel, so that they can be
/// looked through on the canonical grid without aliasing.
[[nodiscard]] FacePictures shrink_to_canonical(const FacePictures& pictures);

struct Proposal {
    at::Tensor source;    ///< [B, 3, H, W]: the frame, warped
    at::Tensor exemplar;  ///< the exemplar, warped, its colours matched
    at::Tensor second;    ///< another one, likewise; undefined without
    at::Tensor blended;   ///< the exemplar's mouth in the frame
    at::Tensor mouth;     ///< [B, H, W], the share of the exemplar
    at::Tensor edit;      ///< [B, H, W], see geometry::Mattes
};

/// `target`: the landmarks to show, [B, 68, 2]; `points` as look_through has them. `second` may have no pixels.
[[nodiscard]] Proposal propose(const FacePictures& source, const FacePictures& exemplar, const FacePictures& second,
                               const at::Tensor& target, const at::Tensor& points);

}  // namespace omnisync::compositing
