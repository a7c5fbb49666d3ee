// A proposal in one pass over the pixels of a video, without a net: what `propose` gives, several times as fast.
#pragma once

#include <ATen/core/Tensor.h>

#include "compositing/proposal.h"

namespace omnisync::compositing {

/// Pixels that an affine map places on the canonical face: pixel (x, y) lies at [xx * x + xy * y + dx, yx * x + ...].
struct PixelGrid {
    std::int64_t width = 0, height = 0;
    double xx = 1, xy = 0, dx = 0, yx = 0, yy = 1, dy = 0;
};

struct DrawnProposal {
    at::Tensor pixels;  ///< [3, height, width]; where `edit` is 0: zeros
    at::Tensor edit;    ///< [height, width]
};

/// Pictures are batches of 1, in the colours of which the result is; `target` is [1, 68, 2]. Equals `blended` and
/// `edit` of propose() but for rounding. One thread; CPU only.
[[nodiscard]] DrawnProposal draw_proposal(const FacePictures& source, const FacePictures& exemplar,
                                          const at::Tensor& target, const PixelGrid& grid);

}  // namespace omnisync::compositing
