#include "metrics/natural_scene.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

namespace omnisync::metrics {
namespace {

/// Rows of one size.
struct Plane {
    int width = 0, height = 0;
    std::vector<float> values;

    Plane(int columns, int rows)
        : width(columns), height(rows), values(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}
    [[nodiscard]] float& at(int x, int y) {
        return values[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)];
    }
    [[nodiscard]] float at(int x, int y) const { return const_cast<Plane&>(*this).at(x, y); }
};

struct Tap {
    int offset = 0;
    float weight = 0;
};

/// Along rows, then along columns; places beyond the edge are the edge.
Plane filter(const Plane& in, const std::vector<Tap>& taps, int step) {
    Plane rows(in.width / step, in.height);
    for (int y = 0; y < rows.height; ++y)
        for (int x = 0; x < rows.width; ++x)
            for (const auto& [offset, weight] : taps)
                rows.at(x, y) += weight * in.at(std::clamp(step * x + offset, 0, in.width - 1), y);
    Plane out(rows.width, in.height / step);
    for (int y = 0; y < out.height; ++y)
        for (const auto& [offset, weight] : taps) {
            const int from = std::clamp(step * y + offset, 0, rows.height - 1);
            for (int x = 0; x < out.width; ++x) out.at(x, y) += weight * rows.at(x, from);
        }
    return out;
}

/// 7 by 7, standard deviation 7/6.
const std::vector<Tap>& window() {
    static const std::vector<Tap> taps = [] {
        std::vector<Tap> made;
        float sum = 0;
        for (int i = -3; i <= 3; ++i) {
            made.push_back({i, static_cast<float>(std::exp(-0.5 * i * i * 36 / 49.0))});
            sum += made.back().weight;
        }
        for (Tap& tap : made) tap.weight /= sum;
        return made;
    }();
    return taps;
}

/// Halves by a cubic of twice the width (a = -0.5), as the authors' code does.
Plane half(const Plane& in) {
    const auto cubic = [](double x) {
        return x <= 1 ? 1.5 * x * x * x - 2.5 * x * x + 1 : -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
    };
    std::vector<Tap> taps;
    for (int i = -3; i <= 4; ++i) taps.push_back({i, static_cast<float>(cubic(std::abs(i - 0.5) / 2) / 2)});
    return filter(in, taps, 2);
}

struct Normalised {
    Plane coefficients;
    Plane deviation;
};

Normalised normalise(const Plane& in) {
    Plane squares = in;
    for (float& value : squares.values) value *= value;
    const Plane mean = filter(in, window(), 1);
    Normalised made{in, filter(squares, window(), 1)};
    for (std::size_t i = 0; i < in.values.size(); ++i) {
        float& deviation = made.deviation.values[i];
        deviation = std::sqrt(std::abs(deviation - mean.values[i] * mean.values[i]));
        made.coefficients.values[i] = (in.values[i] - mean.values[i]) / (deviation + 1);
    }
    return made;
}

/// An asymmetric generalised Gaussian.
struct Distribution {
    double shape = 0, left = 0, right = 0;  ///< the last two: scales
    [[nodiscard]] double mean() const {
        return (right - left) * std::exp(std::lgamma(2 / shape) - std::lgamma(1 / shape));
    }
};

/// Gamma(2/s)^2 / (Gamma(1/s) Gamma(3/s)) of the shapes 0.2, 0.201 ... 10: rising.
const std::vector<double>& moment_ratios() {
    static const std::vector<double> ratios = [] {
        std::vector<double> made;
        for (int i = 200; i <= 10000; ++i) {
            const double shape = i / 1000.0;
            made.push_back(std::exp(2 * std::lgamma(2 / shape) - std::lgamma(1 / shape) - std::lgamma(3 / shape)));
        }
        return made;
    }();
    return ratios;
}

double shape_of(double ratio) {
    const std::vector<double>& ratios = moment_ratios();
    const auto above = std::lower_bound(ratios.begin(), ratios.end(), ratio);
    auto nearest = above == ratios.end() ? above - 1 : above;
    if (nearest != ratios.begin() && ratio - *(nearest - 1) < *nearest - ratio) --nearest;
    return 0.2 + 0.001 * static_cast<double>(nearest - ratios.begin());
}

/// Sums from which a distribution is fitted by its moments (Lasmar et al. 2009).
struct Moments {
    double absolute = 0, left_squares = 0, right_squares = 0, left = 0, right = 0, count = 0;

    void add(double value) {
        absolute += std::abs(value);
        count += 1;
        if (value < 0) {
            left_squares += value * value;
            left += 1;
        } else if (value > 0) {
            right_squares += value * value;
            right += 1;
        }
    }
    /// Nothing for one-sided values.
    [[nodiscard]] std::optional<Distribution> fit() const {
        if (left == 0 || right == 0) return std::nullopt;
        const double deviation_left = std::sqrt(left_squares / left),
                     deviation_right = std::sqrt(right_squares / right);
        const double skew = deviation_left / deviation_right;
        const double ratio = absolute / count * absolute / (left_squares + right_squares);
        const double whole = ratio * (skew * skew * skew + 1) * (skew + 1) / ((skew * skew + 1) * (skew * skew + 1));
        Distribution found{shape_of(whole), 0, 0};
        const double scale = std::exp((std::lgamma(1 / found.shape) - std::lgamma(3 / found.shape)) / 2);
        found.left = deviation_left * scale;
        found.right = deviation_right * scale;
        return found;
    }
};

struct Square {
    int left = 0, top = 0, side = 0;
};

/// 18 features of one scale. False for a patch that has no distribution.
bool describe(const Plane& coefficients, const Square& patch, float* features) {
    struct Shift {
        int x, y;
    };
    constexpr std::array<Shift, 4> kShifts{{{1, 0}, {0, 1}, {1, 1}, {-1, 1}}};
    std::array<Moments, 5> moments;
    for (int y = 0; y < patch.side; ++y)
        for (int x = 0; x < patch.side; ++x) {
            const float here = coefficients.at(patch.left + x, patch.top + y);
            moments[0].add(here);
            for (std::size_t i = 0; i < kShifts.size(); ++i) {
                // Around the patch's edge, as the authors' code does.
                const int u = (x - kShifts[i].x + patch.side) % patch.side;
                const int v = (y - kShifts[i].y + patch.side) % patch.side;
                moments[i + 1].add(double{here} * coefficients.at(patch.left + u, patch.top + v));
            }
        }
    for (std::size_t i = 0; i < moments.size(); ++i) {
        const auto found = moments[i].fit();
        if (!found) return false;
        *features++ = static_cast<float>(found->shape);
        if (i == 0) {
            *features++ = static_cast<float>((found->left + found->right) / 2);
        } else {
            *features++ = static_cast<float>(found->mean());
            *features++ = static_cast<float>(found->left);
            *features++ = static_cast<float>(found->right);
        }
    }
    return true;
}

double mean_of(const Plane& plane, const Square& patch) {
    double sum = 0;
    for (int y = patch.top; y < patch.top + patch.side; ++y)
        for (int x = patch.left; x < patch.left + patch.side; ++x) sum += plane.at(x, y);
    return sum / patch.side / patch.side;
}

}  // namespace

std::vector<NaturalPatch> natural_patches(const GrayView& luma, int side) {
    std::vector<NaturalPatch> patches;
    const int columns = luma.width / side, rows = luma.height / side;
    if (columns == 0 || rows == 0) return patches;
    Plane picture(columns * side, rows * side);
    for (int y = 0; y < picture.height; ++y)
        for (int x = 0; x < picture.width; ++x) picture.at(x, y) = luma.data[y * luma.stride + x];
    const Normalised full = normalise(picture);
    const Normalised small = normalise(half(picture));
    for (int row = 0; row < rows; ++row)
        for (int column = 0; column < columns; ++column) {
            const Square patch{column * side, row * side, side};
            const Square halved{patch.left / 2, patch.top / 2, side / 2};
            NaturalPatch made;
            made.sharpness = mean_of(full.deviation, patch);
            if (describe(full.coefficients, patch, made.features.data()) &&
                describe(small.coefficients, halved, made.features.data() + kNaturalFeatures / 2))
                patches.push_back(made);
        }
    return patches;
}

double niqe(const std::vector<NaturalPatch>& patches, const Gaussian& pristine) {
    if (patches.size() < 2) return std::nan("");
    GaussianSum sum;
    for (const NaturalPatch& patch : patches) sum.add(patch.features);
    return mahalanobis_distance(sum.fit(), pristine);
}

}  // namespace omnisync::metrics
