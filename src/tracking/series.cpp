#include "tracking/series.h"

#include <algorithm>
#include <utility>

#include "base/median.h"

namespace omnisync::tracking {

double robust_variance(Series values) {
    for (double& value : values) value *= value;
    constexpr double kMedianOfNormal = 0.4549;  // median of chi squared with one degree of freedom
    return median(std::move(values)) / kMedianOfNormal;
}

double missed(const Series& surprise, std::size_t t, std::size_t reach) {
    if (surprise.size() < 2) return 0;
    const std::size_t first = t > reach ? t - reach : 1;
    const std::size_t last = std::min(t + reach, surprise.size() - 1);
    double sum = 0;
    for (std::size_t s = first; s <= last; ++s) {
        const double before = s > 1 ? surprise[s - 1] : 0;
        const double after = s + 1 < surprise.size() ? surprise[s + 1] : 0;
        const double kept = before + surprise[s] + after;  // of what three frames saw
        // An outlier goes and comes back, but its product with a neighbour's tremor would still count for much.
        sum += std::min(surprise[s] * kept, 2 * std::min(squared(surprise[s]), squared(kept)));
    }
    return sum / static_cast<double>(last - first + 1);
}

}  // namespace omnisync::tracking
