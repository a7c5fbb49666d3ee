// The middle of numbers.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace omnisync {

/// The middle one by size; of an even number of them the upper of the two, so that it is one that occurs. 0 of nothing.
[[nodiscard]] inline double median(std::vector<double> values) {
    if (values.empty()) return 0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

}  // namespace omnisync
