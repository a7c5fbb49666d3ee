// Pictures that stand still where they should not, and moments without a picture.
#pragma once

#include <cstdint>
#include <vector>

#include "metrics/series.h"
#include "omnisync/picture.h"

namespace omnisync::metrics {

/// Tells how far each picture differs from the one before: mean absolute difference of the luma, of every second pixel
/// of every second row. The first gives NaN.
class ChangeMeter {
public:
    [[nodiscard]] double add(const GrayView& luma);

private:
    std::vector<std::uint8_t> last_;
};

/// Which pictures repeat the one before: they differ from it by less than a tenth of what pictures usually differ by
/// (three quarters of `usual` differ less than that usual). `changes`: of ChangeMeter; where footage stands still as a
/// whole nothing counts as repeated.
[[nodiscard]] std::vector<bool> repeats(const Series& changes, const Series& usual);

/// Pictures that a gap in `times_s` (rising) has room for at the usual step, the median one.
[[nodiscard]] std::int64_t missing_in_gaps(const std::vector<double>& times_s);

}  // namespace omnisync::metrics
