// Which features of the speech each latent frame of a clip hears (X-Dub spec, section 5).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace omnisync::xdub {

inline constexpr double kFeatureRateHz = 50;   ///< of both encoders, nominally
inline constexpr double kModelFrameRate = 25;  ///< of the videos that the model knows

/// When the frames of the output are shown, counted from the start of the speech. The released model knows one frame
/// every 40 ms, which is what an empty list stands for.
struct FrameTimes {
    std::vector<double> seconds;              ///< increasing; of frames 0 ..
    double interval_s = 1 / kModelFrameRate;  ///< before the first and after the last of them

    /// Any frame, below 0 and beyond the last too.
    [[nodiscard]] double operator[](std::int64_t frame) const;
};

/// A clip's place among the frames of the output.
struct ClipWindow {
    std::int64_t start = 0;     ///< its first frame
    std::int64_t latents = 20;  ///< latent frame i ends with frame start + 4 i
    std::int64_t option = 0;    ///< widens each latent frame's window by so many frames to either side
};

/// Indices of features, [latents, 8 + 4 option] int64 in [0, features): for latent frame i the features at the
/// beginning and at the middle of each of frames start + 4 i - 3 - option .. start + 4 i + option, the nearest in time,
/// the first or last one repeated beyond the ends. At 25 frames per second these are the released model's, 2 (start + 4
/// i) - 6 .. + 1. At another rate a pair of tokens still belongs to one frame, which is what the model ties a mouth to;
/// tokens are then more or less than 20 ms apart, as if speech were faster or slower by as much.
[[nodiscard]] at::Tensor window_indices(const FrameTimes& times, const ClipWindow& clip, std::int64_t features);

/// `whisper` [n, 1280] and `wav2vec2` [m, 768], on one device -> [latents, 8 + 4 option, 2048], Whisper's first. They
/// differ by a frame at most, and each is clamped to its own length. Silence for guidance is zeros of this shape.
[[nodiscard]] at::Tensor audio_windows(const at::Tensor& whisper, const at::Tensor& wav2vec2, const FrameTimes& times,
                                       const ClipWindow& clip);

}  // namespace omnisync::xdub
