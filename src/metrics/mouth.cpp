#include "metrics/mouth.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace omnisync::metrics {
namespace {

constexpr std::size_t kOuterFirst = 48, kOuterEnd = 60;
constexpr double kFlat = 1e-6;

/// Canonical pixels.
struct Part {
    int x = 0, y = 0, width = 0, height = 0;
};
constexpr Part kMouth{48, 92, 64, 48};
constexpr Part kUpperFace{28, 30, 104, 50};

float bilinear(const GrayView& luma, Point p) {
    const float x = std::clamp(p.x, 0.0F, static_cast<float>(luma.width - 1));
    const float y = std::clamp(p.y, 0.0F, static_cast<float>(luma.height - 1));
    const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
    const int x1 = std::min(x0 + 1, luma.width - 1), y1 = std::min(y0 + 1, luma.height - 1);
    const float fx = x - static_cast<float>(x0), fy = y - static_cast<float>(y0);
    const std::uint8_t* const above = luma.data + y0 * luma.stride;
    const std::uint8_t* const below = luma.data + y1 * luma.stride;
    const float top = static_cast<float>(above[x0]) * (1 - fx) + static_cast<float>(above[x1]) * fx;
    const float bottom = static_cast<float>(below[x0]) * (1 - fx) + static_cast<float>(below[x1]) * fx;
    return top * (1 - fy) + bottom * fy;
}

Crop crop(const GrayView& luma, const Similarity& to_canonical, const Part& part) {
    const Similarity back = to_canonical.inverse();
    Crop made{part.width, part.height, {}};
    made.luma.reserve(static_cast<std::size_t>(part.width) * static_cast<std::size_t>(part.height));
    for (int y = 0; y < part.height; ++y)
        for (int x = 0; x < part.width; ++x) {
            float sum = 0;
            for (const float dy : {-0.25F, 0.25F})
                for (const float dx : {-0.25F, 0.25F})
                    sum += bilinear(luma,
                                    back({static_cast<float>(part.x + x) + dx, static_cast<float>(part.y + y) + dy}));
            made.luma.push_back(sum / 4);
        }
    return made;
}

/// Both pictures' difference, smoothed over 3x3 pixels: a seam is long, noise is not.
float smooth_difference(const GrayView& a, const GrayView& b, int x, int y) {
    int sum = 0;
    for (int v = y - 1; v <= y + 1; ++v)
        for (int u = x - 1; u <= x + 1; ++u) sum += int{a.data[v * a.stride + u]} - int{b.data[v * b.stride + u]};
    return static_cast<float>(sum) / 9;
}

}  // namespace

PixelBox mouth_box(const FaceFrame& face) {
    float left = face.landmarks[kOuterFirst].x, right = left, top = face.landmarks[kOuterFirst].y, bottom = top;
    for (std::size_t i = kOuterFirst; i < kOuterEnd; ++i) {
        left = std::min(left, face.landmarks[i].x);
        right = std::max(right, face.landmarks[i].x);
        top = std::min(top, face.landmarks[i].y);
        bottom = std::max(bottom, face.landmarks[i].y);
    }
    return {static_cast<int>(std::floor(left)), static_cast<int>(std::floor(top)),
            static_cast<int>(std::ceil(right)) + 1, static_cast<int>(std::ceil(bottom)) + 1};
}

double sharpness(const GrayView& luma, const PixelBox& box) {
    double sum = 0, squares = 0, count = 0;
    for (int y = std::max(1, box.top); y < std::min(luma.height - 1, box.bottom); ++y) {
        const std::uint8_t* const row = luma.data + y * luma.stride;
        for (int x = std::max(1, box.left); x < std::min(luma.width - 1, box.right); ++x) {
            const double edge = row[x - 1] + row[x + 1] + row[x - luma.stride] + row[x + luma.stride] - 4.0 * row[x];
            sum += edge;
            squares += edge * edge;
            count += 1;
        }
    }
    return count > 0 ? squares / count - (sum / count) * (sum / count) : 0;
}

double mouth_distance(const FaceFrame& a, const FaceFrame& b) {
    double sum = 0;
    for (std::size_t i = kOuterFirst; i < kLandmarks; ++i) {
        const Point one = a.to_canonical(a.landmarks[i]), other = b.to_canonical(b.landmarks[i]);
        sum += std::hypot(one.x - other.x, one.y - other.y);
    }
    return sum / static_cast<double>(kLandmarks - kOuterFirst);
}

Crop mouth_crop(const GrayView& luma, const Similarity& to_canonical) {
    return crop(luma, to_canonical, kMouth);
}

Crop upper_face_crop(const GrayView& luma, const Similarity& to_canonical) {
    return crop(luma, to_canonical, kUpperFace);
}

double flicker(const Crop& before, const Crop& now, const Crop& after) {
    double sum = 0;
    for (std::size_t i = 0; i < now.luma.size(); ++i) {
        const double bend = before.luma[i] - 2.0 * now.luma[i] + after.luma[i];
        sum += bend * bend;
    }
    return sum / static_cast<double>(std::max<std::size_t>(1, now.luma.size()));
}

std::optional<double> likeness(const Crop& a, const Crop& b) {
    const auto count = static_cast<double>(a.luma.size());
    double mean_a = 0, mean_b = 0, aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.luma.size(); ++i) {
        mean_a += a.luma[i] / count;
        mean_b += b.luma[i] / count;
    }
    for (std::size_t i = 0; i < a.luma.size(); ++i) {
        aa += (a.luma[i] - mean_a) * (a.luma[i] - mean_a);
        bb += (b.luma[i] - mean_b) * (b.luma[i] - mean_b);
        ab += (a.luma[i] - mean_a) * (b.luma[i] - mean_b);
    }
    if (aa < kFlat || bb < kFlat) return std::nullopt;
    return ab / std::sqrt(aa * bb);
}

std::optional<Seam> seam(const GrayView& picture, const GrayView& reference, const EditRegion& region) {
    constexpr float kRim = 2;    // canonical pixels before and behind the end of the edit
    constexpr float kClear = 4;  // further out than this nothing is edited
    Seam sum;
    double rim = 0, outside = 0;
    for (int y = std::max(2, region.top); y < std::min(picture.height - 2, region.bottom); ++y)
        for (int x = std::max(2, region.left); x < std::min(picture.width - 2, region.right); ++x) {
            const float beyond = region.distance(x, y) - EditRegion::kReach;
            const bool at_rim = std::abs(beyond) <= kRim;
            if (!at_rim && (beyond < kClear || beyond > EditRegion::kMargin - EditRegion::kReach - 1)) continue;
            // Across the edge: along the slope of the distance.
            const float dx = region.distance(x + 1, y) - region.distance(x - 1, y);
            const float dy = region.distance(x, y + 1) - region.distance(x, y - 1);
            const float length = std::hypot(dx, dy);
            if (length <= 0) continue;
            const float step_x =
                smooth_difference(picture, reference, x + 1, y) - smooth_difference(picture, reference, x - 1, y);
            const float step_y =
                smooth_difference(picture, reference, x, y + 1) - smooth_difference(picture, reference, x, y - 1);
            const float across = (step_x * dx + step_y * dy) / length / 2;
            (at_rim ? sum.rim : sum.outside) += double{across} * across;
            (at_rim ? rim : outside) += 1;
        }
    if (rim == 0 || outside == 0) return std::nullopt;
    return Seam{sum.rim / rim, sum.outside / outside};
}

}  // namespace omnisync::metrics
