// Structural similarity of one window of two pictures.
#pragma once

namespace omnisync {

/// Sums over the samples of a window.
struct WindowSums {
    double a = 0, b = 0;
    double squares = 0;  ///< of both
    double product = 0;

    WindowSums& operator+=(const WindowSums& other) {
        a += other.a;
        b += other.b;
        squares += other.squares;
        product += other.product;
        return *this;
    }
};

/// Wang et al. 2004 on one window, for samples up to `peak`, with the constants of x264 and of FFmpeg's ssim filter, so
/// that figures can be compared. 1: equal.
[[nodiscard]] inline double ssim(const WindowSums& sum, double samples, double peak) {
    const double c1 = 0.01 * peak * 0.01 * peak / samples;
    const double c2 = 0.03 * peak * 0.03 * peak * (samples - 1) / samples;
    const double mean_a = sum.a / samples;
    const double mean_b = sum.b / samples;
    const double variances = sum.squares / samples - mean_a * mean_a - mean_b * mean_b;
    const double covariance = sum.product / samples - mean_a * mean_b;
    return (2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
           ((mean_a * mean_a + mean_b * mean_b + c1) * (variances + c2));
}

}  // namespace omnisync
