// The log-mel spectrogram that Whisper hears (X-Dub spec, section 4). log_mel.h has the motion planner's own.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "speech/log_mel.h"

namespace omnisync::speech {

/// Sounds shorter than this are continued with silence by everything that makes features: the encoders know no less.
inline constexpr std::int64_t kShortestSound = 400;

/// 80 triangles [kBands, 201], Slaney's scale and normalisation, 0 .. 8 kHz, over the bins of 400 samples at kRateHz.
[[nodiscard]] at::Tensor slaney_filters();

/// Squared spectrum of windows [n, kWindow] (float32, not yet weighted): [n, 201].
[[nodiscard]] at::Tensor power_spectrum(const at::Tensor& windows);

/// Frames of `samples` samples: 100 Hz, frame k centred on sample 160 k.
[[nodiscard]] std::int64_t slaney_frames(std::int64_t samples);

/// The spectrogram of a sound that comes in blocks, without keeping its samples: an hour's is 115 MB, and 0.4 GB are
/// needed while finishing it. The result is the same to the bit for any blocks.
class SlaneyMelReader {
public:
    SlaneyMelReader();
    /// `samples`: [n] float32 at kRateHz on the CPU, any n.
    void add(const at::Tensor& samples);
    /// [kBands, slaney_frames(all samples)], float32: log10 of the power, floored 8 below the loudest value of the
    /// whole sound, (x + 4) / 4. Beyond the ends the sound is mirrored. Nothing may be added afterwards.
    [[nodiscard]] at::Tensor finish();

private:
    void take(const at::Tensor& samples);
    void analyse();

    at::Tensor buffer_;  ///< samples of a block of frames, the first `filled_` of them there
    std::int64_t filled_;
    std::int64_t samples_ = 0;
    std::vector<at::Tensor> logs_;
};

/// The spectrogram of a whole sound [n].
[[nodiscard]] at::Tensor slaney_log_mel(const at::Tensor& samples);

}  // namespace omnisync::speech
