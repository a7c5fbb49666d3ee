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

/// From how fast luma changes with distance. Between places l apart the mean squared difference D(l) of sharp edges
/// grows like l, that of smeared ones like l^2 up to the smear; noise adds the same to every D and vanishes from their
/// differences. So (D(2) - D(1)) / (D(4) - D(2)) is 1/2 for edges as sharp as pixels allow and falls to 1/4 with the
/// smear; one octave coarser the same again, for stronger smears. Of large faces, pixels of the canonical size count:
/// nothing finer is drawn. A smear of a tenth of the mouth's width (standard deviation) gives about 0.06.
float sharpness_of(const GrayView& picture, const Similarity& to_picture) {
    constexpr int kGrid = 40;     // places a side at most: a large face costs no more than a small one
    constexpr double kSide = 84;  // canonical pixels looked at, around the mouth
    constexpr std::size_t kLags = 4;
    const double scale = std::clamp(to_picture.scale(), 1e-3, 1e4);
    const int unit = std::max(1, static_cast<int>(std::lround(scale)));
    const double step = std::max(1.0, kSide * scale / kGrid);
    const int places = std::clamp(static_cast<int>(kSide * scale / step), 1, kGrid);
    const Point middle = to_picture(Point{80, 112});
    const auto place = [&](float centre, int i) {
        return static_cast<int>(std::lround(std::clamp(centre + step * (i - places / 2.0), -1e6, 1e6)));
    };
    const int far = unit << (kLags - 1);
    std::array<double, kLags> difference{};
    for (int j = 0; j < places; ++j) {
        const int y = place(middle.y, j);
        if (y < 0 || y + far >= picture.height) continue;
        for (int i = 0; i < places; ++i) {
            const int x = place(middle.x, i);
            if (x < 0 || x + far >= picture.width) continue;
            const std::uint8_t* here = picture.data + picture.stride * y + x;
            for (std::size_t k = 0; k < kLags; ++k) {
                const int across = here[unit << k] - here[0];
                const int down = here[picture.stride * (unit << k)] - here[0];
                difference[k] += across * across + down * down;
            }
        }
    }
    const auto sharp = [&](std::size_t k) {
        const double fine = difference[k + 1] - difference[k];
        const double coarse = difference[k + 2] - difference[k + 1];
        return coarse > 0 ? std::clamp((fine / coarse - 0.25) * 4, 0.0, 1.0) : 0.0;
    };
    return static_cast<float>((sharp(0) + sharp(1)) / 2);
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
