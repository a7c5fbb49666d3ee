// Smoothing of series over frames: spec section 9, F3, F4 and F8. Windows are odd numbers of frames.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace omnisync::xdub {

/// One row of `width` values a frame.
struct Series {
    std::size_t width = 0;
    std::vector<float> values;  ///< frames * width

    Series(std::size_t columns, std::size_t frames) : width(columns), values(columns * frames) {}
    [[nodiscard]] std::size_t frames() const { return values.size() / width; }
    [[nodiscard]] std::span<float> row(std::size_t frame) { return std::span(values).subspan(frame * width, width); }
    [[nodiscard]] std::span<const float> row(std::size_t frame) const {
        return std::span(values).subspan(frame * width, width);
    }
};

/// The odd window that lasts as long at `fps` as `window` frames do at 25; the same number at 25.
[[nodiscard]] int window_at(int window, double fps);

/// N(window, frames, least) of the spec: what is left of a window on a short series.
[[nodiscard]] int fitted_window(int window, int frames, int least);

/// Savitzky-Golay of order 2, the series mirrored at its ends (the end frame not repeated). `window` is odd and no
/// longer than the series; below 3 nothing changes.
[[nodiscard]] Series quadratic_mirrored(const Series& series, int window);

/// The same with the end frames repeated, over fitted_window(window, frames, 3); two frames or fewer stay as they are.
[[nodiscard]] Series quadratic_held(const Series& series, int window);

/// Mean over the part of a centred window that lies inside the series.
[[nodiscard]] Series moving_mean(const Series& series, int window);

/// moving_mean() over min(window, frames): narrower than `window` on a short series.
[[nodiscard]] Series moving_mean_fitted(const Series& series, int window);

}  // namespace omnisync::xdub
