#include "metrics/repeats.h"

#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace omnisync::metrics {
namespace {

constexpr double kUsualShare = 0.75;
constexpr double kOfUsual = 0.1;
constexpr double kStill = 0.05;  // levels: footage that changes less than this stands still

}  // namespace

double ChangeMeter::add(const GrayView& luma) {
    std::vector<std::uint8_t> now;
    now.reserve(static_cast<std::size_t>((luma.width + 1) / 2) * static_cast<std::size_t>((luma.height + 1) / 2));
    for (int y = 0; y < luma.height; y += 2)
        for (int x = 0; x < luma.width; x += 2) now.push_back(luma.data[y * luma.stride + x]);
    double change = std::nan("");
    if (last_.size() == now.size()) {
        std::int64_t sum = 0;
        for (std::size_t i = 0; i < now.size(); ++i) sum += std::abs(int{now[i]} - int{last_[i]});
        change = static_cast<double>(sum) / static_cast<double>(now.size());
    }
    last_ = std::move(now);
    return change;
}

std::vector<bool> repeats(const Series& changes, const Series& usual) {
    Series known;
    for (const double change : usual)
        if (std::isfinite(change)) known.push_back(change);
    const double often = quantile(known, kUsualShare).value_or(0);
    std::vector<bool> found;
    found.reserve(changes.size());
    for (const double change : changes) found.push_back(often > kStill && change < kOfUsual * often);
    return found;
}

std::int64_t missing_in_gaps(const std::vector<double>& times_s) {
    Series steps;
    for (std::size_t i = 1; i < times_s.size(); ++i) steps.push_back(times_s[i] - times_s[i - 1]);
    const double usual = median(steps).value_or(0);
    std::int64_t missing = 0;
    if (usual > 0)
        for (const double step : steps)
            missing += std::lround(step / usual) - 1 > 0 ? std::lround(step / usual) - 1 : 0;
    return missing;
}

}  // namespace omnisync::metrics
