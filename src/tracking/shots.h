// Where one shot ends and the next begins, found while the pictures pass by.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "omnisync/picture.h"
#include "omnisync/time.h"

namespace omnisync::tracking {

enum class Transition {
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

/// Takes every frame of one video in order, as a small picture (ImageMaker), and tells the shot boundaries some frames
/// later. A flash, a camera's fast movement and a dark moment in one scene are no boundaries. Dissolves are found up to
/// 46 frames long. The size of a picture does not matter (64 pixels on the longer side are enough), memory is constant.
class ShotDetector {
public:
    ShotDetector();
    ShotDetector(ShotDetector&&) noexcept;
    ShotDetector& operator=(ShotDetector&&) noexcept;
    ~ShotDetector();

    void add(const Image& picture, Pts pts);
    /// No frame follows: decides what is still open.
    void finish();
    /// The boundaries found since the last call, in order of time. Complete after finish().
    [[nodiscard]] std::vector<ShotBoundary> take();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::tracking
