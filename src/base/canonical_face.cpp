#include "base/canonical_face.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>

namespace omnisync {

std::optional<Similarity> fit_canonical(const Landmarks& landmarks) {
    using Complex = std::complex<double>;
    const double count = static_cast<double>(kCanonicalTemplate.size());
    Complex from_centre;
    Complex to_centre;
    for (const CanonicalPoint& point : kCanonicalTemplate) {
        const Point& from = landmarks[static_cast<std::size_t>(point.landmark)];
        from_centre += Complex(from.x, from.y) / count;
        to_centre += Complex(point.place.x, point.place.y) / count;
    }
    // As complex numbers a similarity is z' = m z + d, and the best m is the quotient of two sums.
    Complex product;
    double square = 0;
    for (const CanonicalPoint& point : kCanonicalTemplate) {
        const Point& place = landmarks[static_cast<std::size_t>(point.landmark)];
        const Complex from = Complex(place.x, place.y) - from_centre;
        product += std::conj(from) * (Complex(point.place.x, point.place.y) - to_centre);
        square += std::norm(from);
    }
    const Complex m = product / square;
    const Complex d = to_centre - m * from_centre;
    const bool usable = std::isfinite(square) && square > 1e-6 && std::isfinite(d.real()) && std::isfinite(d.imag()) &&
                        std::abs(m) > 1e-4;
    if (!usable) return std::nullopt;
    return Similarity{m.real(), m.imag(), d.real(), d.imag()};
}

std::vector<Similarity> smooth_canonical(const std::vector<Similarity>& raw) {
    constexpr int kReach = static_cast<int>(4 * kCanonicalSigma + 0.5);
    std::array<double, kReach + 1> weight{};
    double sum = 0;
    for (int i = 0; i <= kReach; ++i) {
        weight[static_cast<std::size_t>(i)] = std::exp(-0.5 * i * i / (kCanonicalSigma * kCanonicalSigma));
        sum += weight[static_cast<std::size_t>(i)] * (i == 0 ? 1 : 2);
    }
    const auto count = static_cast<std::ptrdiff_t>(raw.size());
    const auto mirrored = [count](std::ptrdiff_t i) {  // ... 1 0 | 0 1 2 ... n-1 | n-1 n-2 ...
        i %= 2 * count;
        if (i < 0) i += 2 * count;
        return static_cast<std::size_t>(i < count ? i : 2 * count - 1 - i);
    };
    std::vector<Similarity> smooth(raw.size());
    for (std::ptrdiff_t i = 0; i < count; ++i) {
        Similarity mean{0, 0, 0, 0};
        for (int k = -kReach; k <= kReach; ++k) {
            const Similarity& other = raw[mirrored(i + k)];
            const double w = weight[static_cast<std::size_t>(std::abs(k))] / sum;
            mean.a += w * other.a;
            mean.b += w * other.b;
            mean.dx += w * other.dx;
            mean.dy += w * other.dy;
        }
        smooth[static_cast<std::size_t>(i)] = mean;
    }
    return smooth;
}

Affine stored_to_canonical(const VideoInfo& video, const Similarity& to) {
    const Affine up = stored_to_upright(video);
    return {to.a * up.xx - to.b * up.yx, to.a * up.xy - to.b * up.yy, to.a * up.dx - to.b * up.dy + to.dx,
            to.b * up.xx + to.a * up.yx, to.b * up.xy + to.a * up.yy, to.b * up.dx + to.a * up.dy + to.dy};
}

}  // namespace omnisync
