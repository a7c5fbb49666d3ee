// One mouth in one frame: proposed out of what was borrowed, corrected where that does not fit, blended in.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>

#include "compositing/draw_proposal.h"
#include "engines/portable/exemplars.h"
#include "engines/portable/render_net.h"
#include "omnisync/faces.h"
#include "omnisync/frame.h"
#include "omnisync/stream.h"

namespace omnisync::portable {

/// The mouth to draw.
struct Wish {
    const Exemplar* exemplar = nullptr;  ///< null: the frame's own mouth; not with a corrector
    const Exemplar* second = nullptr;    ///< a corrector needs one
    at::Tensor target;                   ///< [1, 68, 2], canonical
    const Exemplar* next = nullptr;      ///< what takes over, or null: the frame's own mouth
    float share = 0;                     ///< how far it has come, 0 .. 1
};

/// The render net at work. A proposal is trusted as far as its exemplar fits: what the footage shows is sharper and
/// truer than what a net of a few megabytes paints.
class Corrector {
public:
    Corrector(weights::Parameters weights, std::uint64_t seed);
    /// The proposal for `area` of the frame that `patch` was cut from, with so much (0 .. 1) of the net's correction.
    [[nodiscard]] compositing::DrawnProposal draw(const FacePatch& patch, const compositing::Area& area,
                                                  const Wish& wish, double share) const;
    /// How much of a correction is wanted, 0 .. 1: 0 where the exemplar fits, and there draw() is not needed.
    [[nodiscard]] static double need(const Wish& wish);
    [[nodiscard]] const std::string& origin() const { return weights_.origin(); }

private:
    weights::Parameters weights_;
    RenderNet net_;
    at::Tensor noise_;  // the same in every frame: what is fixed in the face does not flicker
};

/// Draws into `frame`, whose pixels are the caller's own. Nothing changes outside the edit matte. `corrector` may be
/// null.
void redraw(const Frame& frame, const VideoInfo& video, const FaceFrame& face, const Wish& wish,
            const Corrector* corrector);

}  // namespace omnisync::portable
