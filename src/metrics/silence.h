// When nobody is heard.
#pragma once

#include <vector>

#include "omnisync/stream.h"

namespace omnisync::metrics {

/// Whether a sound is silent, and has been and will be for kQuietS, in steps of 10 ms. Silent: 25 dB or more below the
/// power that a tenth of its moments exceed. Steady noise so loud hides silence; music is no silence.
class Silence {
public:
    static constexpr int kRateHz = 16000;
    static constexpr double kQuietS = 0.12;  ///< a mouth may be on its way

    /// Reads `sound`, which is at kRateHz, to its end. Throws what reading throws.
    explicit Silence(SpeechSource& sound);

    /// Beyond the sound's ends it is silent.
    [[nodiscard]] bool at(double time_s) const;
    /// Root mean square of the 10 ms around a moment, 0 .. 1; 0 beyond the ends.
    [[nodiscard]] double level(double time_s) const;
    /// Whether anything but digital silence was in it.
    [[nodiscard]] bool audible() const;

private:
    std::vector<double> power_;
    std::vector<bool> quiet_;
};

}  // namespace omnisync::metrics
