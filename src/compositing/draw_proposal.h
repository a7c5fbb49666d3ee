// A proposal in one pass over the pixels of a video, without a net: what `propose` gives, several times as fast.
#pragma once

#include <ATen/core/Tensor.h>

#include "compositing/patch.h"
#include "compositing/proposal.h"
#include "omnisync/picture.h"

namespace omnisync::compositing {

struct DrawnProposal {
    at::Tensor pixels;  ///< [3, height, width]; where `edit` is 0: zeros
    at::Tensor edit;    ///< [height, width]
};

/// The proposal for `area` of a frame whose pixels `to_canonical` places on the canonical face. Pictures are batches of
/// 1, in the colours of which the result is; `target` is [1, 68, 2]. It equals `blended` and `edit` of propose() but
/// for rounding. One thread; CPU only.
[[nodiscard]] DrawnProposal draw_proposal(const FacePictures& source, const FacePictures& exemplar,
                                          const at::Tensor& target, const Affine& to_canonical, const Area& area);

}  // namespace omnisync::compositing
