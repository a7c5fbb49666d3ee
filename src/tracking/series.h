// A few statistics of numbers over time.
#pragma once

#include <cstddef>
#include <vector>

namespace omnisync::tracking {

using Series = std::vector<double>;

[[nodiscard]] constexpr double squared(double value) {
    return value * value;
}
/// Of normal noise around 0, by the median of squares: blind to rare large values.
[[nodiscard]] double robust_variance(Series values);

/// How much more than tremor two measurements of the same movements disagree around frame t, as a variance per frame.
/// `surprise`: one measurement less the other, frame by frame (that of frame 0 does not count). Tremor of a position
/// moves it there and back, so that neighbours cancel and the expectation is 0; what one measurement missed does not
/// come back. Looks `reach` frames each way; may be below 0.
[[nodiscard]] double missed(const Series& surprise, std::size_t t, std::size_t reach);

}  // namespace omnisync::tracking
