// Motion over time, read between its samples.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace omnisync::portable {

/// `values` [n, c], row i at first_s + i / rate_hz, read at `times_s` by cubic interpolation (Catmull-Rom); beyond the
/// ends: the ends. Gives [times, c].
[[nodiscard]] at::Tensor read_curve(const at::Tensor& values, double first_s, double rate_hz,
                                    const std::vector<double>& times_s);

/// `values` [n, c], row i at times_s[i] (ascending), read at `wanted_s`, linearly between neighbours.
[[nodiscard]] at::Tensor read_uneven(const at::Tensor& values, const std::vector<double>& times_s,
                                     const std::vector<double>& wanted_s);

}  // namespace omnisync::portable
