// Where one shot ends and the next begins.
#pragma once

#include <cstdint>
#include <string_view>

#include "omnisync/time.h"

namespace omnisync {

enum class Transition : std::uint8_t {
    cut,      ///< from one frame to the next
    fade,     ///< through black, white or another single colour
    dissolve  ///< one picture turns into the other
};
[[nodiscard]] std::string_view name(Transition transition);

/// The start of a new shot.
struct ShotBoundary {
    std::int64_t frame = 0;  ///< index of the new shot's first frame; of a dissolve, the first that shows more of it
    Pts pts;                 ///< that frame's time
    Transition transition = Transition::cut;
    std::int64_t first_mixed = 0;  ///< a gradual transition covers the frames from here ...
    std::int64_t last_mixed = 0;   ///< ... to here; of a cut both are `frame`
};

}  // namespace omnisync
