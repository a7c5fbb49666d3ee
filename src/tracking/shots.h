// Where one shot ends and the next begins, found while the pictures pass by.
#pragma once

#include <memory>
#include <vector>

#include "omnisync/picture.h"
#include "omnisync/shots.h"
#include "omnisync/time.h"

namespace omnisync::tracking {

/// Takes every frame of one video in order, as a small picture (ImageMaker), and tells the shot boundaries some frames
/// later. A flash, a camera's fast movement and a dark moment in one scene are no boundaries. Dissolves are found up to
/// 46 frames long. The size of a picture does not matter (64 pixels on the longer side are enough), memory is constant.
class ShotDetector {
public:
    /// Cuts and fades are told once this many frames behind the new shot's first were added; dissolves later.
    static constexpr int kFramesBehind = 8;

    ShotDetector();
    ShotDetector(ShotDetector&&) noexcept;
    ShotDetector& operator=(ShotDetector&&) noexcept;
    ~ShotDetector();

    void add(const Image& picture, Pts pts);
    /// The same from luma of any size alone. A detector is given either this or images.
    void add(const GrayView& picture, Pts pts);
    /// No frame follows: decides what is still open.
    void finish();
    /// The boundaries found since the last call, in order of time. Complete after finish().
    [[nodiscard]] std::vector<ShotBoundary> take();

private:
    class State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::tracking
