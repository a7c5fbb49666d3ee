// From one borrowed mouth to the next.
#pragma once

#include "compositing/proposal.h"

namespace omnisync::portable {

/// `one` with `share` (0 .. 1) of what tells its mouth from `other`'s in light and colour at large; fine detail stays
/// its own, because teeth that fade into other teeth are seen twice. Batches of 1.
[[nodiscard]] compositing::FacePictures towards(const compositing::FacePictures& one,
                                                const compositing::FacePictures& other, float share);

}  // namespace omnisync::portable
