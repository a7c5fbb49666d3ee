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

float share_of(std::size_t level) {
    return static_cast<float>(level) / 255.0F;
}

/// How often each level occurs. Sums over it do not depend on the order of the pixels; they are of the shares as
/// rounded to float32, for a byte may hang on that.
struct Levels {
    std::array<std::int64_t, 256> counts{};
    std::int64_t total = 0;

    void add(std::uint8_t level) {
        ++counts[level];
        ++total;
    }
    template <class Value>
    [[nodiscard]] double sum_of(Value value) const {
        double sum = 0;
        for (std::size_t level = 0; level < counts.size(); ++level)
            sum += static_cast<double>(counts[level]) * value(static_cast<double>(share_of(level)));
        return sum;
    }
    [[nodiscard]] double mean() const {
        return sum_of([](double share) { return share; }) / static_cast<double>(total);
    }
    [[nodiscard]] double deviation() const {
        const double middle = mean();
        const double squares = sum_of([middle](double share) { return (share - middle) * (share - middle); });
        return std::sqrt(squares / static_cast<double>(total - 1));
    }
};

std::array<std::uint8_t, 256> curve_between(const Levels& made, const Levels& source, ToByte rule) {
    const auto made_mean = static_cast<float>(made.mean());
    const auto source_mean = static_cast<float>(source.mean());
    const auto variance = [](const Levels& levels) {
        const auto deviation = static_cast<float>(levels.deviation());
        return deviation * deviation + 1e-7F;
    };
    const float gain = std::sqrt(variance(source) / variance(made));
    std::array<std::uint8_t, 256> curve;
    for (std::size_t level = 0; level < curve.size(); ++level) {
        const float value = (share_of(level) - made_mean) * gain + source_mean;
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
    std::array<Levels, 3> of_made;
    std::array<Levels, 3> of_source;
    for (std::size_t i = 0; i < made.samples.size(); i += 3) {
        int difference = 0;
        for (std::size_t c = 0; c < 3; ++c) difference += std::abs(made.samples[i + c] - source.samples[i + c]);
        if (difference > kAlike) continue;
        for (std::size_t c = 0; c < 3; ++c) {
            of_made[c].add(made.samples[i + c]);
            of_source[c].add(source.samples[i + c]);
        }
    }
    const std::int64_t alike = of_made[0].total;
    if (alike < 2) return alike;
    for (std::size_t c = 0; c < 3; ++c) {
        const auto curve = curve_between(of_made[c], of_source[c], rule);
        for (std::size_t i = c; i < made.samples.size(); i += 3) made.samples[i] = curve[made.samples[i]];
    }
    return alike;
}

}  // namespace omnisync::xdub
