// Which way a head looks, from its landmarks alone.
#pragma once

#include "omnisync/faces.h"

namespace omnisync::tracking {

/// Yaw, pitch and roll of the rigid landmarks (eye corners, nose) as a mean head seen from afar (weak perspective). All
/// 0 for landmarks that say nothing. People differ: noses longer or eyes deeper than the mean's shift pitch by some
/// degrees, the same in every frame.
[[nodiscard]] HeadPose pose_of(const Landmarks& landmarks);

}  // namespace omnisync::tracking
