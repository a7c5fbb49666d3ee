#include "engines/portable/course.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/tanh.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace omnisync::portable {
namespace {

constexpr std::int64_t kFewest = 8;  // values that say something of a travel

}  // namespace

double travel(const at::Tensor& values, std::int64_t window, const at::Tensor& active) {
    const at::Tensor course = values.to(at::kDouble).contiguous();
    const at::Tensor where = active.to(at::kDouble).contiguous();
    const double* const v = course.const_data_ptr<double>();
    const double* const on = where.const_data_ptr<double>();
    const std::int64_t n = course.size(0);
    double sum = 0;
    std::int64_t count = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        if (on[i] <= 0.5) continue;
        double mean = 0;
        double weight = 0;
        for (std::int64_t k = std::max<std::int64_t>(0, i - window / 2); k <= std::min(n - 1, i + window / 2); ++k) {
            if (on[k] <= 0.5) continue;
            mean += v[k];
            weight += 1;
        }
        sum += (v[i] - mean / weight) * (v[i] - mean / weight);
        ++count;
    }
    return count < kFewest ? 0 : std::sqrt(sum / static_cast<double>(count));
}

double abruptness(const at::Tensor& values) {
    if (values.size(0) < 3) return 0;
    const at::Tensor course = values.to(at::kDouble);
    return course.diff(2).square().mean().item<double>();
}

at::Tensor smoothed(const at::Tensor& values, double sigma) {
    if (sigma <= 0) return values;
    const auto reach = static_cast<std::int64_t>(std::ceil(3 * sigma));
    std::vector<double> weight;
    double sum = 0;
    for (std::int64_t k = -reach; k <= reach; ++k) {
        weight.push_back(std::exp(-0.5 * static_cast<double>(k * k) / (sigma * sigma)));
        sum += weight.back();
    }
    const at::Tensor in = values.contiguous();
    const auto from = in.accessor<float, 2>();
    const at::Tensor out = at::empty_like(in);
    auto to = out.accessor<float, 2>();
    for (std::int64_t i = 0; i < in.size(0); ++i)
        for (std::int64_t c = 0; c < in.size(1); ++c) {
            double mean = 0;
            for (std::int64_t k = -reach; k <= reach; ++k)
                mean += weight[static_cast<std::size_t>(k + reach)] *
                        from[std::clamp<std::int64_t>(i + k, 0, in.size(0) - 1)][c];
            to[i][c] = static_cast<float>(mean / sum);
        }
    return out;
}

at::Tensor bounded(const at::Tensor& values, const at::Tensor& knee, const at::Tensor& top) {
    const at::Tensor room = (top - knee).clamp_min(1e-6);
    const at::Tensor over = (values - knee).clamp_min(0);
    return at::minimum(values, knee) + room * at::tanh(over / room);
}

}  // namespace omnisync::portable
