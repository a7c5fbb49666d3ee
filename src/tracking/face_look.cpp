#include "tracking/face_look.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "base/canonical_face.h"

namespace omnisync::tracking {
namespace {

/// Luma between the pixels of `picture`; beyond the edge the edge goes on.
float sample(const GrayView& picture, double x, double y) {
    x = std::clamp(x, 0.0, picture.width - 1.0);
    y = std::clamp(y, 0.0, picture.height - 1.0);
    const int left = std::min(static_cast<int>(x), std::max(picture.width - 2, 0));
    const int top = std::min(static_cast<int>(y), std::max(picture.height - 2, 0));
    const int right = std::min(left + 1, picture.width - 1);
    const std::uint8_t* upper = picture.data + picture.stride * top;
    const std::uint8_t* lower = picture.data + picture.stride * std::min(top + 1, picture.height - 1);
    const auto fx = static_cast<float>(x - left);
    const auto fy = static_cast<float>(y - top);
    const float above = static_cast<float>(upper[left]) * (1 - fx) + static_cast<float>(upper[right]) * fx;
    const float below = static_cast<float>(lower[left]) * (1 - fx) + static_cast<float>(lower[right]) * fx;
    return above * (1 - fy) + below * fy;
}

class Looker {
public:
    Looker(const GrayView& picture, const Similarity& to_picture) : picture_(picture), to_picture_(to_picture) {}

    /// At a place of the canonical face.
    [[nodiscard]] float at(double x, double y) const {
        return sample(picture_, to_picture_.a * x - to_picture_.b * y + to_picture_.dx,
                      to_picture_.b * x + to_picture_.a * y + to_picture_.dy);
    }

    /// Mean over a square of the canonical face. Four by four samples: at 6 canonical pixels a cell nothing finer
    /// matters, and a large face costs no more than a small one.
    [[nodiscard]] float mean(double x, double y, double side) const {
        constexpr int kSamples = 4;
        float sum = 0;
        for (int j = 0; j < kSamples; ++j)
            for (int i = 0; i < kSamples; ++i)
                sum += at(x + side * (i + 0.5) / kSamples, y + side * (j + 0.5) / kSamples);
        return sum / (kSamples * kSamples);
    }

private:
    const GrayView& picture_;
    const Similarity& to_picture_;
};

/// Median luma from the brows to the chin, as a fraction of white.
float median_light(const Looker& look) {
    constexpr int kSteps = 20;
    std::array<float, static_cast<std::size_t>(kSteps * kSteps)> values{};
    std::size_t count = 0;
    for (int j = 0; j < kSteps; ++j) {
        for (int i = 0; i < kSteps; ++i) {
            const double u = (2 * i + 1.0) / kSteps - 1;
            const double v = (2 * j + 1.0) / kSteps - 1;
            if (u * u + v * v > 1) continue;
            values[count++] = look.at(80 + 42 * u, 92 + 52 * v);
        }
    }
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(count / 2);
    std::nth_element(values.begin(), middle, values.begin() + static_cast<std::ptrdiff_t>(count));
    return *middle / 255;
}

/// How far an edge is smeared, in pixels (standard deviation), from how fast luma changes with distance. Between places
/// l apart the mean squared difference D(l) of sharp edges grows like l and of smeared ones like l^2, up to the smear;
/// noise adds the same to every D and vanishes from differences of D. So (D(2) - D(1)) / (D(4) - D(2)) is 1/2 for edges
/// as sharp as pixels allow and falls to 1/4 with the smear.
float sharpness_of(const GrayView& picture, const Similarity& to_picture) {
    constexpr int kGrid = 40;
    constexpr int kLags = 5;
    constexpr std::array<int, kLags> kLag{0, 1, 2, 4, 8};
    std::array<double, kLags> structure{};
    const double scale = to_picture.scale();
    const double step = std::max(1.0, 84 * scale / kGrid);  // pixels between the places looked at
    const int places = std::clamp(static_cast<int>(84 * scale / step), 1, kGrid);
    const Point middle = to_picture(Point{80, 112});
    for (int j = 0; j < places; ++j) {
        for (int i = 0; i < places; ++i) {
            const int x =
                static_cast<int>(std::lround(std::clamp<double>(middle.x + step * (i - places / 2.0), -1e6, 1e6)));
            const int y =
                static_cast<int>(std::lround(std::clamp<double>(middle.y + step * (j - places / 2.0), -1e6, 1e6)));
            if (x < 0 || y < 0 || x + 8 >= picture.width || y + 8 >= picture.height) continue;
            const std::uint8_t* here = picture.data + picture.stride * y + x;
            for (std::size_t k = 1; k < kLags; ++k) {
                const double across = here[kLag[k]] - here[0];
                const double down = here[picture.stride * kLag[k]] - here[0];
                structure[k] += across * across + down * down;
            }
        }
    }
    const double fine = structure[2] - structure[1];
    const double coarse = structure[3] - structure[2];
    if (coarse <= 0 || fine <= 0) return 0;
    return static_cast<float>(std::clamp((fine / coarse - 0.25) * 4, 0.0, 1.0));
}

}  // namespace

FaceLook look_at_face(const GrayView& picture, const Landmarks& landmarks) {
    FaceLook look;
    const std::optional<Similarity> to_canonical = fit_canonical(landmarks);
    if (!to_canonical || picture.data == nullptr || picture.width < 1 || picture.height < 1) return look;
    const Similarity to_picture = to_canonical->inverse();
    const Looker looker(picture, to_picture);
    // The training window of the lower face: 96 pixels from (32, 62).
    constexpr double kCell = 96.0 / FaceLook::kSide;
    for (int j = 0; j < FaceLook::kSide; ++j)
        for (int i = 0; i < FaceLook::kSide; ++i)
            look.lower[static_cast<std::size_t>(j * FaceLook::kSide + i)] =
                static_cast<std::uint8_t>(looker.mean(32 + kCell * i - 0.5, 62 + kCell * j - 0.5, kCell) + 0.5F);
    look.light = median_light(looker);
    look.sharpness = sharpness_of(picture, to_picture);
    return look;
}

}  // namespace omnisync::tracking
