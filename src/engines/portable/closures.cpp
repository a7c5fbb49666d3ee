#include "engines/portable/closures.h"

#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cstdint>

namespace omnisync::portable {
namespace {

constexpr std::int64_t kReach = 5;  // motion frames (a sixth of a second) in which a valley's hills are sought
constexpr double kDepth = 0.5;      // spreads that a valley lies below both hills
constexpr double kHighest = 1.1;    // spreads above rest from which nothing is taken for a closure
constexpr double kShape[] = {1, 0.85, 0.45, 0.12};  // of a closure, by distance in motion frames

}  // namespace

at::Tensor closures(const at::Tensor& opening, double rest, double spread) {
    const at::Tensor course = opening.contiguous();
    const float* const o = course.const_data_ptr<float>();
    const std::int64_t n = course.size(0);
    const at::Tensor less = at::zeros({n});
    float* const out = less.mutable_data_ptr<float>();
    for (std::int64_t i = 1; i + 1 < n; ++i) {
        if (o[i] > o[i - 1] || o[i] >= o[i + 1]) continue;
        const float before = *std::max_element(o + std::max<std::int64_t>(0, i - kReach), o + i);
        const float after = *std::max_element(o + i + 1, o + std::min(n, i + 1 + kReach));
        const double above = o[i] - rest;
        if (above <= 0 || above > kHighest * spread || std::min(before, after) - o[i] < kDepth * spread) continue;
        for (std::int64_t k = -3; k <= 3; ++k)
            if (i + k >= 0 && i + k < n)
                out[i + k] = std::max(out[i + k], static_cast<float>(above * kShape[k < 0 ? -k : k]));
    }
    return less;
}

}  // namespace omnisync::portable
