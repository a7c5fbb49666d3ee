// Figures of series of numbers: one value for each picture.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace omnisync::metrics {

using Series = std::vector<double>;

/// Pearson's, of as many pairs as the shorter series has. Nothing for fewer than two, or where one does not vary.
[[nodiscard]] std::optional<double> correlation(const Series& a, const Series& b);

/// The value below which `share` (0 .. 1) of them lie, the nearest one that occurs; nothing for none.
[[nodiscard]] std::optional<double> quantile(Series values, double share);
[[nodiscard]] std::optional<double> median(Series values);  ///< that of base/median.h, but nothing for none
[[nodiscard]] std::optional<double> mean(const Series& values);

/// `a` over `b`; nothing when one is missing or `b` is not above 0.
[[nodiscard]] std::optional<double> ratio(std::optional<double> a, std::optional<double> b);

/// Mean square of the second difference over runs of neighbouring pictures: `pictures` rising, one for each value.
/// What moves smoothly has little of it, what trembles has much. Nothing without three neighbours.
[[nodiscard]] std::optional<double> tremble(const std::vector<std::int64_t>& pictures, const Series& values);

/// How far lips are open above rest while nobody is heard, over the same while somebody is. `quiet`: one for each
/// opening. Nothing with fewer than five of either, or when the lips do not open in speech.
[[nodiscard]] std::optional<double> opening_in_silence(const Series& openings, const std::vector<bool>& quiet,
                                                       double rest);

}  // namespace omnisync::metrics
