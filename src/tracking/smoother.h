// One number over time, from where it was seen and how far it was seen to move.
#pragma once

#include <vector>

namespace omnisync::tracking {

/// One frame.
struct Sighting {
    double seen = 0;    ///< the number, measured in this frame alone
    double trust = 0;   ///< 1 / variance of `seen`; 0: not seen
    double moved = 0;   ///< since the last frame, measured by itself
    double wander = 1;  ///< variance of `moved`, above 0; that of the first frame does not matter
};

/// The most likely numbers given all frames, earlier and later ones alike, so without lag: a Kalman filter and the
/// backward pass of Rauch, Tung and Striebel for a random walk with known steps. Frames that were not seen lie between
/// those that were. All 0 when none was seen. Linear in frames.
[[nodiscard]] std::vector<double> smooth(const std::vector<Sighting>& sightings);

/// The same with sightings that lie far off (beyond `reach` standard deviations of their own) losing their say.
[[nodiscard]] std::vector<double> smooth_robustly(std::vector<Sighting> sightings, double reach);

}  // namespace omnisync::tracking
