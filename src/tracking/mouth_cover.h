// Whether something lies over a mouth.
#pragma once

#include <vector>

#include "tracking/face_look.h"

namespace omnisync::tracking {

/// Of one frame alone: above 0 rather covered, below 0 rather free (a log-odds, as far as drawn hands, microphones and
/// captions over training faces go). Beards and shadows count a little, the same in every frame.
[[nodiscard]] float cover_evidence(const FaceLook& look);

/// Of every frame, 0 .. 1, above 0.5 when something covers the mouth: the frame's evidence and its neighbours', against
/// what is usual for this face.
[[nodiscard]] std::vector<float> mouth_cover(const std::vector<FaceLook>& looks, double fps);

}  // namespace omnisync::tracking
