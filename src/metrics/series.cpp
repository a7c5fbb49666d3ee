#include "metrics/series.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace omnisync::metrics {
namespace {

constexpr double kNoVariation = 1e-12;
constexpr std::size_t kFewest = 5;  // pictures, to speak of an average

}  // namespace

std::optional<double> mean(const Series& values) {
    if (values.empty()) return std::nullopt;
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

std::optional<double> correlation(const Series& a, const Series& b) {
    const std::size_t count = std::min(a.size(), b.size());
    if (count < 2) return std::nullopt;
    const auto end = static_cast<std::ptrdiff_t>(count);
    const double mean_a = std::accumulate(a.begin(), a.begin() + end, 0.0) / static_cast<double>(count);
    const double mean_b = std::accumulate(b.begin(), b.begin() + end, 0.0) / static_cast<double>(count);
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < count; ++i) {
        aa += (a[i] - mean_a) * (a[i] - mean_a);
        bb += (b[i] - mean_b) * (b[i] - mean_b);
        ab += (a[i] - mean_a) * (b[i] - mean_b);
    }
    if (aa < kNoVariation || bb < kNoVariation) return std::nullopt;
    return ab / std::sqrt(aa * bb);
}

std::optional<double> quantile(Series values, double share) {
    if (values.empty()) return std::nullopt;
    const auto place = static_cast<std::ptrdiff_t>(std::lround(share * static_cast<double>(values.size() - 1)));
    std::nth_element(values.begin(), values.begin() + place, values.end());
    return values[static_cast<std::size_t>(place)];
}

std::optional<double> median(Series values) {
    return quantile(std::move(values), 0.5);
}

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
    if (!a || !b || *b <= kNoVariation) return std::nullopt;
    return *a / *b;
}

std::optional<double> tremble(const std::vector<std::int64_t>& pictures, const Series& values) {
    Series squares;
    for (std::size_t i = 2; i < std::min(values.size(), pictures.size()); ++i) {
        if (pictures[i] - pictures[i - 2] != 2) continue;
        const double bend = values[i - 2] - 2 * values[i - 1] + values[i];
        squares.push_back(bend * bend);
    }
    return mean(squares);
}

std::optional<double> opening_in_silence(const Series& openings, const std::vector<bool>& quiet, double rest) {
    Series in_silence, in_speech;
    for (std::size_t i = 0; i < std::min(openings.size(), quiet.size()); ++i)
        (quiet[i] ? in_silence : in_speech).push_back(openings[i] - rest);
    if (in_silence.size() < kFewest || in_speech.size() < kFewest) return std::nullopt;
    return ratio(mean(in_silence), mean(in_speech));
}

}  // namespace omnisync::metrics
