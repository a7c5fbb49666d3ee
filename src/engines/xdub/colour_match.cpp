#include "engines/xdub/colour_match.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

// Largest sum of three differences, in levels, whose mean is below 0.07 of 255.
constexpr int kAlike = 53;

/// Of integers, so that no order of adding matters.
struct Moments {
    std::int64_t count = 0;
    std::int64_t sum = 0;
    std::int64_t squares = 0;

    void add(int level) {
        ++count;
        sum += level;
        squares += static_cast<std::int64_t>(level) * level;
    }
    [[nodiscard]] double mean() const { return static_cast<double>(sum) / static_cast<double>(count) / 255; }
    [[nodiscard]] double deviation() const {
        const auto n = static_cast<double>(count);
        const double spread = static_cast<double>(squares) - static_cast<double>(sum) / n * static_cast<double>(sum);
        return std::sqrt(std::max(0.0, spread) / (n - 1)) / 255;
    }
};

std::array<std::uint8_t, 256> curve_between(const Moments& made, const Moments& source, ToByte rule) {
    const auto made_mean = static_cast<float>(made.mean());
    const auto source_mean = static_cast<float>(source.mean());
    const auto variance = [](const Moments& moments) {
        const auto deviation = static_cast<float>(moments.deviation());
        return deviation * deviation + 1e-7F;
    };
    const float gain = std::sqrt(variance(source) / variance(made));
    std::array<std::uint8_t, 256> curve;
    for (std::size_t level = 0; level < curve.size(); ++level) {
        const float value = (static_cast<float>(level) / 255.0F - made_mean) * gain + source_mean;
        const float scaled = std::clamp(value, 0.0F, 1.0F) * 255.0F;
        curve[level] =
            static_cast<std::uint8_t>(rule == ToByte::nearest ? std::lround(scaled) : static_cast<long>(scaled));
    }
    return curve;
}

}  // namespace

std::int64_t match_colours(Rgb8& made, const Rgb8& source, ToByte rule) {
    require(made.width == source.width && made.height == source.height, ExitCode::internal, "colours of ", made.width,
            "x", made.height, " against ", source.width, "x", source.height);
    std::array<Moments, 3> of_made;
    std::array<Moments, 3> of_source;
    for (std::size_t i = 0; i < made.samples.size(); i += 3) {
        int difference = 0;
        for (std::size_t c = 0; c < 3; ++c) difference += std::abs(made.samples[i + c] - source.samples[i + c]);
        if (difference > kAlike) continue;
        for (std::size_t c = 0; c < 3; ++c) {
            of_made[c].add(made.samples[i + c]);
            of_source[c].add(source.samples[i + c]);
        }
    }
    const std::int64_t alike = of_made[0].count;
    if (alike < 2) return alike;
    for (std::size_t c = 0; c < 3; ++c) {
        const auto curve = curve_between(of_made[c], of_source[c], rule);
        for (std::size_t i = c; i < made.samples.size(); i += 3) made.samples[i] = curve[made.samples[i]];
    }
    return alike;
}

}  // namespace omnisync::xdub
