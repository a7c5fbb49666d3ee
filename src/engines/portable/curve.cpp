#include "engines/portable/curve.h"

#include <ATen/ops/empty.h>

#include <algorithm>

namespace omnisync::portable {
namespace {

/// Catmull-Rom weights at `f` in [0, 1] between the second and third of four neighbours.
void cubic(double f, double (&w)[4]) {
    w[0] = f * (-0.5 + f * (1 - 0.5 * f));
    w[1] = 1 + f * f * (1.5 * f - 2.5);
    w[2] = f * (0.5 + f * (2 - 1.5 * f));
    w[3] = f * f * (0.5 * f - 0.5);
}

}  // namespace

at::Tensor read_curve(const at::Tensor& values, double first_s, double rate_hz, const std::vector<double>& times_s) {
    const at::Tensor in = values.contiguous();
    const auto from = in.accessor<float, 2>();
    const std::int64_t last = in.size(0) - 1;
    const at::Tensor out = at::empty({static_cast<std::int64_t>(times_s.size()), in.size(1)});
    auto to = out.accessor<float, 2>();
    for (std::int64_t row = 0; row < out.size(0); ++row) {
        const double place =
            std::clamp((times_s[static_cast<std::size_t>(row)] - first_s) * rate_hz, 0.0, static_cast<double>(last));
        const auto low = static_cast<std::int64_t>(place);
        double w[4];
        cubic(place - static_cast<double>(low), w);
        for (std::int64_t c = 0; c < in.size(1); ++c) {
            double sum = 0;
            for (int k = 0; k < 4; ++k) sum += w[k] * from[std::clamp<std::int64_t>(low + k - 1, 0, last)][c];
            to[row][c] = static_cast<float>(sum);
        }
    }
    return out;
}

at::Tensor read_uneven(const at::Tensor& values, const std::vector<double>& times_s,
                       const std::vector<double>& wanted_s) {
    const at::Tensor in = values.contiguous();
    const auto from = in.accessor<float, 2>();
    const at::Tensor out = at::empty({static_cast<std::int64_t>(wanted_s.size()), in.size(1)});
    auto to = out.accessor<float, 2>();
    for (std::size_t row = 0; row < wanted_s.size(); ++row) {
        const auto after = std::upper_bound(times_s.begin(), times_s.end(), wanted_s[row]);
        const auto high = std::min<std::size_t>(static_cast<std::size_t>(after - times_s.begin()), times_s.size() - 1);
        const std::size_t low = high > 0 ? high - 1 : 0;
        const double gap = times_s[high] - times_s[low];
        const auto share =
            static_cast<float>(gap > 0 ? std::clamp((wanted_s[row] - times_s[low]) / gap, 0.0, 1.0) : 0.0);
        for (std::int64_t c = 0; c < in.size(1); ++c)
            to[static_cast<std::int64_t>(row)][c] = from[static_cast<std::int64_t>(low)][c] * (1 - share) +
                                                    from[static_cast<std::int64_t>(high)][c] * share;
    }
    return out;
}

}  // namespace omnisync::portable
