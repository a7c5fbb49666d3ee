#include "engines/xdub/smoothing.h"

#include <algorithm>
#include <cmath>

namespace omnisync::xdub {
namespace {

/// Weights of the value at the centre of a parabola fitted to 2 * half + 1 equidistant values.
std::vector<double> quadratic_weights(int half) {
    const double m = half;
    const double sum = (2 * m + 3) * (2 * m + 1) * (2 * m - 1);
    std::vector<double> weights;
    for (int j = -half; j <= half; ++j) weights.push_back((3 * (3 * m * m + 3 * m - 1) - 15.0 * j * j) / sum);
    return weights;
}

std::size_t mirrored(std::ptrdiff_t index, std::size_t count) {
    if (count == 1) return 0;
    const auto period = static_cast<std::ptrdiff_t>(2 * (count - 1));
    const std::ptrdiff_t within = ((index % period) + period) % period;
    return static_cast<std::size_t>(std::min(within, period - within));
}

std::size_t held(std::ptrdiff_t index, std::size_t count) {
    return static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(index, 0, static_cast<std::ptrdiff_t>(count) - 1));
}

template <class Place>
Series quadratic(const Series& series, int window, Place place) {
    if (window < 3) return series;
    const int half = window / 2;
    const std::vector<double> weights = quadratic_weights(half);
    Series result(series.width, series.frames());
    std::vector<double> sum(series.width);
    for (std::size_t frame = 0; frame < series.frames(); ++frame) {
        std::ranges::fill(sum, 0.0);
        for (int j = -half; j <= half; ++j) {
            const double weight = weights[static_cast<std::size_t>(j + half)];
            const auto row = series.row(place(static_cast<std::ptrdiff_t>(frame) + j, series.frames()));
            for (std::size_t i = 0; i < series.width; ++i) sum[i] += weight * row[i];
        }
        std::ranges::transform(sum, result.row(frame).begin(), [](double value) { return static_cast<float>(value); });
    }
    return result;
}

}  // namespace

int window_at(int window, double fps) {
    return 2 * static_cast<int>(std::lround((window / 2) * fps / 25.0)) + 1;
}

int fitted_window(int window, int frames, int least) {
    if (frames <= 1) return 1;
    window = std::min(window, frames);
    if (window % 2 == 0) --window;
    window = std::max(window, least);
    if (window > frames) window = frames % 2 == 1 ? frames : frames - 1;
    return std::max(window, 1);
}

Series quadratic_mirrored(const Series& series, int window) {
    return quadratic(series, window, mirrored);
}

Series quadratic_held(const Series& series, int window) {
    if (series.frames() <= 2) return series;
    return quadratic(series, fitted_window(window, static_cast<int>(series.frames()), 3), held);
}

Series moving_mean(const Series& series, int window) {
    const auto half = static_cast<std::size_t>(window / 2);
    Series result(series.width, series.frames());
    std::vector<double> sum(series.width);
    for (std::size_t frame = 0; frame < series.frames(); ++frame) {
        const std::size_t first = frame - std::min(frame, half);
        const std::size_t end = std::min(series.frames(), frame + half + 1);
        std::ranges::fill(sum, 0.0);
        for (std::size_t f = first; f < end; ++f) {
            const auto row = series.row(f);
            for (std::size_t i = 0; i < series.width; ++i) sum[i] += row[i];
        }
        const auto count = static_cast<double>(end - first);
        std::ranges::transform(sum, result.row(frame).begin(),
                               [count](double value) { return static_cast<float>(value / count); });
    }
    return result;
}

Series moving_mean_fitted(const Series& series, int window) {
    return moving_mean(series, std::min(window, static_cast<int>(series.frames())));
}

}  // namespace omnisync::xdub
