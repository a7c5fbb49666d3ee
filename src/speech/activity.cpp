#include "speech/activity.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace omnisync::speech {
namespace {

// Bands between about 150 Hz and 4 kHz: voices; rumble and hiss lie beside them.
constexpr std::int64_t kFirstBand = 4;
constexpr std::int64_t kVoiceBands = 56;
constexpr std::int64_t kBefore = 8;  // frames of 10 ms
constexpr std::int64_t kAfter = 15;
constexpr std::size_t kPause = 20;    // what is shorter is a stop's silence and no pause
constexpr double kDeepest = 8;        // nepers below speech: digital silence says nothing of the room in the pauses
constexpr double kLeastContrast = 2;  // nepers between floor and speech, below which it is all one or the other
constexpr std::size_t kSteady = 80;   // frames
constexpr std::size_t kEdge = 25;     // frames beside a steady stretch that belong to it
constexpr double kLevel = 0.6;        // nepers between quiet and loud tenths
constexpr double kAudible = -14;      // nepers of a band's power under which nothing counts as speech

/// Speech goes up and down with its syllables; what stays level for kSteady is a hum, a tone, a hiss.
void silence_the_steady(const double* nepers, std::vector<char>& active) {
    const std::size_t frames = active.size();
    std::vector<char> steady(frames, 0);
    std::vector<double> sorted;
    for (std::size_t first = 0, end = 0; first < frames; first = end) {
        for (end = first; end < frames && active[end] == active[first];) ++end;
        if (active[first] == 0) continue;
        for (std::size_t t = first; t + kSteady <= end; t += kSteady / 4) {
            sorted.assign(nepers + t, nepers + t + kSteady);
            std::sort(sorted.begin(), sorted.end());
            if (sorted[kSteady - 1 - kSteady / 10] - sorted[kSteady / 10] < kLevel)
                std::fill_n(steady.begin() + static_cast<std::ptrdiff_t>(t), kSteady, 1);
        }
    }
    for (std::size_t t = 0; t < frames; ++t) {
        // The edges of something steady are not steady.
        const std::size_t from = t < kEdge ? 0 : t - kEdge;
        const std::size_t to = std::min(frames, t + kEdge + 1);
        if (std::find(steady.begin() + static_cast<std::ptrdiff_t>(from),
                      steady.begin() + static_cast<std::ptrdiff_t>(to),
                      1) != steady.begin() + static_cast<std::ptrdiff_t>(to))
            active[t] = 0;
    }
}

void bridge_short_pauses(std::vector<char>& active) {
    std::size_t last = active.size();  // active frame before
    for (std::size_t t = 0; t < active.size(); ++t) {
        if (active[t] == 0) continue;
        if (last < t && t - last <= kPause)
            std::fill(active.begin() + static_cast<std::ptrdiff_t>(last),
                      active.begin() + static_cast<std::ptrdiff_t>(t), 1);
        last = t;
    }
}

}  // namespace

at::Tensor activity(const at::Tensor& power) {
    const at::Tensor level =
        power.narrow(1, kFirstBand, kVoiceBands).mean(1).clamp_min(1e-10).log().to(at::kDouble).contiguous();
    const std::int64_t frames = level.size(0);
    const double* nepers = level.const_data_ptr<double>();
    std::vector<double> sorted(nepers, nepers + frames);
    std::sort(sorted.begin(), sorted.end());
    const auto quantile = [&](double q) {
        return sorted[static_cast<std::size_t>(q * static_cast<double>(frames - 1))];
    };
    const double speech = quantile(0.9);
    const double floor = std::max(quantile(0.1), speech - kDeepest);
    double on = floor + 0.45 * (speech - floor);
    double off = floor + 0.3 * (speech - floor);
    // Somebody who never pauses, or noise alone: the floor is no silence. Then only a deep fall counts as one.
    if (speech - floor < kLeastContrast) on = off = speech - 3;
    on = std::max(on, kAudible);
    off = std::max(off, kAudible);

    std::vector<char> active(static_cast<std::size_t>(frames));
    bool speaking = false;
    for (std::int64_t t = 0; t < frames; ++t) {
        speaking = nepers[t] > (speaking ? off : on);
        active[static_cast<std::size_t>(t)] = speaking;
    }
    silence_the_steady(nepers, active);
    bridge_short_pauses(active);
    const at::Tensor out = at::empty({frames}, at::kFloat);
    float* to = out.mutable_data_ptr<float>();
    for (std::int64_t t = 0; t < frames; ++t) {
        // The nearest active frame decides: full on it, fading with the distance before and after.
        double most = 0;
        for (std::int64_t d = 0; d <= kAfter && most < 1; ++d) {
            if (t - d >= 0 && active[static_cast<std::size_t>(t - d)])
                most = std::max(most, 1.0 - static_cast<double>(d) / (kAfter + 1));
            if (d <= kBefore && t + d < frames && active[static_cast<std::size_t>(t + d)])
                most = std::max(most, 1.0 - static_cast<double>(d) / (kBefore + 1));
        }
        to[t] = static_cast<float>(0.5 - 0.5 * std::cos(std::numbers::pi * most));
    }
    return out;
}

}  // namespace omnisync::speech
