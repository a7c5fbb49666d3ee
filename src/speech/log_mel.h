// What the motion planner hears: mel bands at 100 Hz.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace omnisync::speech {

inline constexpr int kRateHz = 16'000;
inline constexpr int kHop = 160;     ///< samples between frames: 100 Hz
inline constexpr int kWindow = 400;  ///< samples of the Hann window: 25 ms
inline constexpr int kBands = 80;    ///< triangles on the mel scale (HTK's), 0 .. 8 kHz

/// Power in mel bands. `samples`: [n] float32 at kRateHz. Gives [n / kHop + 1, kBands]: frame k is centred on sample
/// k * kHop; beyond the ends there is silence.
[[nodiscard]] at::Tensor mel_power(const at::Tensor& samples);

/// mel_power of a sound that comes in blocks, without keeping its samples.
class MelReader {
public:
    MelReader();
    /// `samples`: [n] float32 at kRateHz, any n.
    void add(const at::Tensor& samples);
    /// All frames; nothing may be added afterwards.
    [[nodiscard]] at::Tensor finish();

private:
    at::Tensor waiting_;  ///< samples that frames still need
    std::int64_t samples_ = 0;
    std::int64_t frames_ = 0;
    std::vector<at::Tensor> power_;
};

/// The nepers (natural logarithm of power) of `power` [..., T, kBands], floored this far below the loudest band.
inline constexpr double kFloorNepers = 12;

/// Level and spread of log-mel features, over a whole utterance.
struct MelLevel {
    double peak = 0;  ///< of ln(power): what kFloorNepers counts from
    double mean = 0;  ///< over bands and frames, after the floor
    double deviation = 1;
};
[[nodiscard]] MelLevel measure_level(const at::Tensor& power);

/// (max(ln power, peak - kFloorNepers) - mean) / deviation.
[[nodiscard]] at::Tensor normalise(const at::Tensor& power, const MelLevel& level);

}  // namespace omnisync::speech
