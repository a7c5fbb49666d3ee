// How loud the voice band of a sound is, and when it holds a voice.
#pragma once

#include <cstddef>
#include <vector>

#include "omnisync/stream.h"

namespace omnisync::tracking {

class Voice {
public:
    /// Reads `sound` to its end. Throws what reading throws.
    explicit Voice(SpeechSource& sound);

    /// Level of the band from 200 to 4000 Hz at `time_s` of the sound, smoothed over 30 ms: dB below full scale, not
    /// less than 45 dB under the loudest moment. Beyond the ends: the floor.
    [[nodiscard]] float level_db(double time_s) const;
    /// 1 while somebody speaks (or sings, or something as lively sounds), else 0; quarter of a second after the last
    /// voice it has come down to 0. Steady noise of any level is no voice.
    [[nodiscard]] float presence(double time_s) const;
    /// Whether there is a voice anywhere.
    [[nodiscard]] bool any() const { return any_; }
    /// Whether there is more than digital silence.
    [[nodiscard]] bool audible() const { return audible_; }

    static constexpr double kStep = 0.01;  ///< seconds between values

private:
    [[nodiscard]] static float at(const std::vector<float>& values, double time_s, float outside);

    std::vector<float> level_;
    std::vector<float> presence_;
    float floor_ = 0;
    bool any_ = false;
    bool audible_ = false;
};

}  // namespace omnisync::tracking
