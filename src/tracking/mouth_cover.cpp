#include "tracking/mouth_cover.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "base/median.h"
#include "tracking/series.h"

namespace omnisync::tracking {
namespace {

#include "tracking/cover_model.inc"

}  // namespace

float cover_evidence(const FaceLook& look) {
    constexpr auto kCount = static_cast<float>(FaceLook::kSide * FaceLook::kSide);
    float mean = 0;
    for (const std::uint8_t value : look.lower) mean += static_cast<float>(value) / kCount;
    float variance = 0;
    for (const std::uint8_t value : look.lower) variance += (value - mean) * (value - mean) / kCount;
    // The 6 keeps noise of flat patches small. It and the weights belong together: tools/make_cover_model.py.
    const float scale = kWeightScale / (std::sqrt(variance) + 6);
    float evidence = kOutBias;
    for (std::size_t h = 0; h < kHidden; ++h) {
        float sum = 0;
        for (std::size_t i = 0; i < look.lower.size(); ++i)
            sum += static_cast<float>(kWeight[h * look.lower.size() + i]) * (look.lower[i] - mean);
        evidence += kOutWeight[h] * std::tanh(sum * scale + kHiddenBias[h]);
    }
    return evidence;
}

std::vector<float> mouth_cover(const std::vector<FaceLook>& looks, double fps) {
    const std::size_t count = looks.size();
    Series evidence(count);
    for (std::size_t t = 0; t < count; ++t) evidence[t] = std::clamp(cover_evidence(looks[t]), -12.0F, 12.0F);
    // A beard is no hand: what a face shows all the time counts for little. But a mouth may also be covered all the
    // time, so not without limit.
    // Chosen so that no talking face of our test footage is called covered; weak covers go unnoticed instead.
    constexpr double kFreest = -2;
    constexpr double kMostUsual = 8;
    constexpr double kSure = 8.5;
    const double usual = std::clamp(median(evidence), kFreest, kMostUsual);
    const auto reach = static_cast<std::ptrdiff_t>(std::lround(std::clamp(0.08 * fps, 1.0, 100.0)));
    const auto last = static_cast<std::ptrdiff_t>(count) - 1;
    std::vector<float> cover(count);
    for (std::ptrdiff_t t = 0; t <= last; ++t) {
        const auto first = evidence.begin() + std::max<std::ptrdiff_t>(t - reach, 0);
        const auto end = evidence.begin() + std::min(t + reach, last) + 1;
        const double around = median(Series(first, end));
        cover[static_cast<std::size_t>(t)] = static_cast<float>(1 / (1 + std::exp(-(around - usual - kSure))));
    }
    return cover;
}

}  // namespace omnisync::tracking
