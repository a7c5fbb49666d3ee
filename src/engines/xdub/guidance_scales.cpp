#include "engines/xdub/guidance_scales.h"

#include <c10/util/BFloat16.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace omnisync::xdub {
namespace {

constexpr double kStrongestBorder = 0.95;

/// Every operation's result passes through it.
class Rounder {
public:
    explicit Rounder(Rounding rounding) : on_(rounding == Rounding::released) {}
    [[nodiscard]] double operator()(double value) const { return on_ ? to_bfloat16(value) : value; }

private:
    bool on_;
};

struct Slope {
    double high, low;      // levels
    double before, after;  // parts of the scale
};

/// Half a cosine from one scale to the other.
double blended(const Slope& slope, double scale, double level, const Rounder& r) {
    const double u = r(r(level - slope.high) / (slope.low - slope.high));
    const double q = r(r(1 - r(std::cos(r(std::numbers::pi * u)))) / 2);
    return r(r(scale * slope.before * r(1 - q)) + r(scale * slope.after * q));
}

/// 6.4. Thresholds are compared as the levels are rounded.
double source_scale(double scale, double level, const Rounder& r) {
    constexpr Slope kFirst{0.85, 0.75, 1, 0.6};
    constexpr Slope kSecond{0.45, 0.35, 0.6, 0.3};
    if (level >= r(kFirst.high)) return scale;
    if (level >= r(kFirst.low)) return blended(kFirst, scale, level, r);
    if (level >= r(kSecond.high)) return scale * kFirst.after;
    if (level >= r(kSecond.low)) return blended(kSecond, scale, level, r);
    return scale * kSecond.after;
}

}  // namespace

double to_bfloat16(double value) {
    return static_cast<double>(static_cast<float>(c10::BFloat16(static_cast<float>(value))));
}

StepTime step_time(double level, Rounding rounding) {
    const Rounder r(rounding);
    const double tau = r(1000 * level);
    const double seen = r(tau / 1000);
    return {tau, seen, std::min(seen, r(kStrongestBorder))};
}

Scales scales_at(const Guidance& guidance, double level, Rounding rounding) {
    if (!guidance.interval.has(level)) return {};
    const Rounder r(rounding);
    const bool in_field = guidance.field.defined();
    if (!guidance.dynamic) return {guidance.source, std::max(guidance.floor, guidance.speech), in_field};
    const double falling =
        diffusion::guidance_at(guidance.speech, r(std::pow(level, guidance.gamma)), 1, 1, guidance.floor);
    return {source_scale(guidance.source, level, r), r(falling), in_field};
}

}  // namespace omnisync::xdub
