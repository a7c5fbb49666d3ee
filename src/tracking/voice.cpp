#include "tracking/voice.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace omnisync::tracking {
namespace {

constexpr float kSilenceDb = -100;
constexpr float kAudibleDb = -75;  // dithered silence lies below
constexpr float kQuietestVoiceDb = -60;
constexpr float kRangeDb = 45;         // of speech that can matter to a mouth
constexpr float kLeastLiveliness = 6;  // dB between quiet and loud moments: steady noise has less
constexpr double kFloorWindow = 6;     // seconds over which quiet and loud moments are looked for
constexpr double kHangover = 0.25;

/// Second-order Butterworth sections by the bilinear transform (R. Bristow-Johnson's cookbook, Q = 1/sqrt 2).
class Biquad {
public:
    static Biquad low_pass(double cutoff, double rate) { return Biquad(cutoff, rate, false); }
    static Biquad high_pass(double cutoff, double rate) { return Biquad(cutoff, rate, true); }

    double operator()(double x) {
        const double y = b0_ * x + z1_;
        z1_ = b1_ * x - a1_ * y + z2_;
        z2_ = b0_ * x - a2_ * y;
        return y;
    }

private:
    Biquad(double cutoff, double rate, bool high) {
        const double w = 2 * std::numbers::pi * cutoff / rate;
        const double alpha = std::sin(w) / std::numbers::sqrt2;
        const double a0 = 1 + alpha;
        b0_ = (high ? 1 + std::cos(w) : 1 - std::cos(w)) / 2 / a0;
        b1_ = (high ? -2 : 2) * b0_;
        a1_ = -2 * std::cos(w) / a0;
        a2_ = (1 - alpha) / a0;
    }

    double b0_, b1_, a1_, a2_;
    double z1_ = 0;
    double z2_ = 0;
};

/// One value in dB for each kStep.
std::vector<float> band_levels(SpeechSource& sound) {
    const double rate = sound.rate_hz();
    Biquad high = Biquad::high_pass(200, rate);
    Biquad low = Biquad::low_pass(std::min(4000.0, 0.45 * rate), rate);
    std::vector<float> levels;
    std::vector<float> block(8192);
    double energy = 0;
    std::int64_t position = 0;
    std::int64_t counted = 0;
    const auto close_step = [&] {
        const double mean = counted > 0 ? energy / static_cast<double>(counted) : 0;
        levels.push_back(std::max(kSilenceDb, static_cast<float>(10 * std::log10(mean + 1e-12))));
        energy = 0;
        counted = 0;
    };
    while (const std::size_t got = sound.read(block)) {
        for (std::size_t i = 0; i < got; ++i) {
            const double sample = low(high(std::clamp(block[i], -8.0F, 8.0F)));
            energy += sample * sample;
            ++counted;
            ++position;
            if (static_cast<double>(position) >= static_cast<double>(levels.size() + 1) * Voice::kStep * rate)
                close_step();
        }
        if (got < block.size()) break;
    }
    if (counted > 0) close_step();
    return levels;
}

std::vector<float> smoothed(const std::vector<float>& values) {
    constexpr int kReach = 9;
    constexpr double kSigma = 3;  // steps
    std::array<double, kReach + 1> weights{};
    for (int i = 0; i <= kReach; ++i) weights[static_cast<std::size_t>(i)] = std::exp(-0.5 * i * i / (kSigma * kSigma));
    std::vector<float> result(values.size());
    const auto count = static_cast<std::ptrdiff_t>(values.size());
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        double sum = 0;
        double weight = 0;
        for (std::ptrdiff_t j = std::max<std::ptrdiff_t>(0, i - kReach); j <= std::min(count - 1, i + kReach); ++j) {
            const double w = weights[static_cast<std::size_t>(std::abs(i - j))];
            sum += w * values[static_cast<std::size_t>(j)];
            weight += w;
        }
        result[static_cast<std::size_t>(i)] = static_cast<float>(sum / weight);
    }
    return result;
}

struct Bounds {
    float quiet = 0;
    float loud = 0;
};

/// The 10th and 95th hundredths of the levels around each half second.
std::vector<Bounds> bounds_of(const std::vector<float>& levels) {
    const auto half = static_cast<std::size_t>(kFloorWindow / 2 / Voice::kStep);
    const auto step = static_cast<std::size_t>(0.5 / Voice::kStep);
    std::vector<Bounds> bounds;
    std::vector<float> sorted;
    for (std::size_t centre = 0; centre < levels.size(); centre += step) {
        const std::size_t first = centre > half ? centre - half : 0;
        const std::size_t end = std::min(levels.size(), centre + half);
        sorted.assign(levels.begin() + static_cast<std::ptrdiff_t>(first),
                      levels.begin() + static_cast<std::ptrdiff_t>(end));
        std::sort(sorted.begin(), sorted.end());
        bounds.push_back({sorted[sorted.size() / 10], sorted[sorted.size() * 95 / 100]});
    }
    return bounds;
}

/// 1 where there is a voice: above a threshold between quiet and loud, until it falls below a lower one.
std::vector<float> voiced(const std::vector<float>& levels) {
    const std::vector<Bounds> bounds = bounds_of(levels);
    const auto step = static_cast<std::size_t>(0.5 / Voice::kStep);
    std::vector<float> result(levels.size());
    bool on = false;
    for (std::size_t i = 0; i < levels.size(); ++i) {
        const Bounds& near = bounds[std::min(bounds.size() - 1, (i + step / 2) / step)];
        const float range = near.loud - near.quiet;
        const bool lively = range >= kLeastLiveliness && near.loud >= kQuietestVoiceDb;
        const float enter = near.loud - std::min(0.6F * range, 25.0F);
        const float leave = near.loud - std::min(0.7F * range, 30.0F);
        on = lively && levels[i] > (on ? leave : enter);
        result[i] = on ? 1.0F : 0.0F;
    }
    return result;
}

/// Comes down to 0 within kHangover on both sides of what is 1.
void add_hangover(std::vector<float>& values) {
    const float fall = static_cast<float>(Voice::kStep / kHangover);
    for (std::size_t i = 1; i < values.size(); ++i) values[i] = std::max(values[i], values[i - 1] - fall);
    for (std::size_t i = values.size(); i-- > 1;) values[i - 1] = std::max(values[i - 1], values[i] - fall);
}

}  // namespace

Voice::Voice(SpeechSource& sound) {
    const std::vector<float> levels = band_levels(sound);
    if (levels.empty()) return;
    level_ = smoothed(levels);
    const float loudest = *std::max_element(level_.begin(), level_.end());
    audible_ = loudest > kAudibleDb;
    presence_ = voiced(level_);
    any_ = std::find(presence_.begin(), presence_.end(), 1.0F) != presence_.end();
    add_hangover(presence_);
    floor_ = loudest - kRangeDb;
    for (float& level : level_) level = std::max(level, floor_);
}

float Voice::at(const std::vector<float>& values, double time_s, float outside) {
    const double place = time_s / kStep - 0.5;  // a value stands for the middle of its step
    if (!(place >= 0) || place >= static_cast<double>(values.size()) - 1) return outside;
    const auto index = static_cast<std::size_t>(place);
    const auto share = static_cast<float>(place - static_cast<double>(index));
    return values[index] + share * (values[index + 1] - values[index]);
}

float Voice::level_db(double time_s) const {
    return at(level_, time_s, floor_);
}
float Voice::presence(double time_s) const {
    return at(presence_, time_s, 0);
}

}  // namespace omnisync::tracking
