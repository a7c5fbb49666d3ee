#include "tracking/smoother.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace omnisync::tracking {

std::vector<double> smooth(const std::vector<Sighting>& sightings) {
    const std::size_t count = sightings.size();
    std::vector<double> value(count);
    std::vector<double> variance(count);
    std::vector<double> predicted(count);  // variance before the frame itself was seen
    std::size_t first = 0;
    while (first < count && sightings[first].trust <= 0) ++first;
    if (first == count) return value;
    // The first sighting stands for itself; frames before it take its value, less what moved.
    value[first] = sightings[first].seen;
    variance[first] = 1 / sightings[first].trust;
    for (std::size_t t = first + 1; t < count; ++t) {
        const Sighting& now = sightings[t];
        const double expected = value[t - 1] + now.moved;
        predicted[t] = variance[t - 1] + now.wander;
        const double gain = predicted[t] * now.trust / (1 + predicted[t] * now.trust);
        value[t] = expected + gain * (now.seen - expected);
        variance[t] = predicted[t] * (1 - gain);
    }
    for (std::size_t t = count - 1; t > first; --t) {
        const double share = variance[t - 1] / predicted[t];
        value[t - 1] += share * (value[t] - sightings[t].moved - value[t - 1]);
    }
    for (std::size_t t = first; t > 0; --t) value[t - 1] = value[t] - sightings[t].moved;
    return value;
}

std::vector<double> smooth_robustly(std::vector<Sighting> sightings, double reach) {
    const std::vector<Sighting> given = sightings;
    std::vector<double> value = smooth(sightings);
    constexpr int kRounds = 2;
    for (int round = 0; round < kRounds; ++round) {
        for (std::size_t t = 0; t < given.size(); ++t) {
            const double off = std::abs(given[t].seen - value[t]) * std::sqrt(given[t].trust);
            sightings[t].trust = given[t].trust * std::min(1.0, reach / std::max(off, 1e-9));
        }
        value = smooth(sightings);
    }
    return value;
}

}  // namespace omnisync::tracking
