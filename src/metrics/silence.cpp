#include "metrics/silence.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "metrics/series.h"

namespace omnisync::metrics {
namespace {

constexpr std::size_t kStep = Silence::kRateHz / 100;
constexpr double kStepsPerS = 100;
constexpr double kBelowLoud = 316.2;  // 25 dB
constexpr double kLeastPower = 1e-9;  // of 16-bit sound one level is as much

}  // namespace

Silence::Silence(SpeechSource& sound) {
    std::vector<float> samples(kStep);
    while (sound.read(samples) == kStep) {
        double sum = 0;
        for (const float sample : samples) sum += double{sample} * sample;
        power_.push_back(sum / kStep);
    }
    const double loud = quantile(power_, 0.9).value_or(0);
    const auto reach = static_cast<std::ptrdiff_t>(kQuietS * kStepsPerS);
    const auto count = static_cast<std::ptrdiff_t>(power_.size());
    std::vector<bool> still;
    for (const double power : power_) still.push_back(power < std::max(loud / kBelowLoud, kLeastPower));
    for (std::ptrdiff_t i = 0; i < count; ++i)
        quiet_.push_back(std::all_of(still.begin() + std::max<std::ptrdiff_t>(0, i - reach),
                                     still.begin() + std::min(count, i + reach + 1), [](bool one) { return one; }));
}

bool Silence::at(double time_s) const {
    const double step = std::floor(time_s * kStepsPerS);
    return step < 0 || step >= static_cast<double>(quiet_.size()) || quiet_[static_cast<std::size_t>(step)];
}

double Silence::level(double time_s) const {
    const double step = std::floor(time_s * kStepsPerS);
    if (step < 0 || step >= static_cast<double>(power_.size())) return 0;
    return std::sqrt(power_[static_cast<std::size_t>(step)]);
}

bool Silence::audible() const {
    return std::any_of(power_.begin(), power_.end(), [](double power) { return power > 0; });
}

}  // namespace omnisync::metrics
