// Other voices, rooms and lines, drawn at random and laid over a clip's mel power: few speakers must teach for many.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <functional>
#include <random>
#include <utility>

namespace omnisync::training {

/// One random voice in one random place. The default changes nothing.
struct Voice {
    double speed = 1;                                 ///< of speech and motion together
    double warp = 1;                                  ///< of frequency: vocal tract length
    double tilt = 0;                                  ///< nepers over the whole range
    double ripple[4]{};                               ///< nepers: amplitudes of a smooth random equaliser
    double ripple_phase[4]{};                         ///< radians
    std::array<std::pair<int, int>, 2> deaf_bands{};  ///< first, count: bands that are hardly heard
    double decay = 0;         ///< power that a reverberant room keeps from frame to frame; 0: none
    double top_band = 80;     ///< above it the line carries nothing
    double snr_nepers = 1e9;  ///< speech power over noise power; large: no noise
    enum class Noise { steady, speech } noise = Noise::steady;

    [[nodiscard]] static Voice drawn(std::mt19937_64& random);
    /// `power` [T, kBands] in this voice; `other` gives other clips' power, of any length, as the noise of a crowd.
    [[nodiscard]] at::Tensor speak(const at::Tensor& power, const std::function<const at::Tensor&()>& other,
                                   std::mt19937_64& random) const;
};

/// Rows of `mel` [T, kBands] at `first` + i * `step`, i < `rows`, between rows by their distance; beyond the ends 0.
[[nodiscard]] at::Tensor resample_mel(const at::Tensor& mel, double first, double step, std::int64_t rows);

}  // namespace omnisync::training
