#include "sync_faces.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace omnisync::command {
namespace {

constexpr int kMouthX = 32, kMouthY = 84, kMouthStep = 2;  // as the network was trained
constexpr double kCropScale = 0.4;
constexpr double kForehead = 0.35;  // of the height from brows to chin, above the brows
constexpr std::size_t kMedian = 13;
constexpr double kBeyond = 110;

/// Bilinear; `place` is clamped to the picture.
std::array<double, 3> colour_at(const Image& picture, double x, double y) {
    x = std::clamp(x, 0.0, picture.width - 1.0);
    y = std::clamp(y, 0.0, picture.height - 1.0);
    const int x0 = std::min(static_cast<int>(x), std::max(0, picture.width - 2));
    const int y0 = std::min(static_cast<int>(y), std::max(0, picture.height - 2));
    const int x1 = std::min(x0 + 1, picture.width - 1), y1 = std::min(y0 + 1, picture.height - 1);
    const double fx = x - x0, fy = y - y0;
    std::array<double, 3> colour{};
    for (std::size_t c = 0; c < 3; ++c)
        colour[c] = (picture.at(x0, y0)[c] * (1 - fx) + picture.at(x1, y0)[c] * fx) * (1 - fy) +
                    (picture.at(x0, y1)[c] * (1 - fx) + picture.at(x1, y1)[c] * fx) * fy;
    return colour;
}

std::uint8_t byte_of(double value) {
    return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0, 255.0)));
}

/// As scipy.signal.medfilt: zeros beyond the ends. Short courses stay as they are.
std::vector<double> median_smoothed(const std::vector<double>& values) {
    if (values.size() < kMedian) return values;
    std::vector<double> smooth(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        std::array<double, kMedian> near{};
        for (std::size_t k = 0; k < kMedian; ++k)
            if (i + k >= kMedian / 2 && i + k - kMedian / 2 < values.size()) near[k] = values[i + k - kMedian / 2];
        std::nth_element(near.begin(), near.begin() + kMedian / 2, near.end());
        smooth[i] = near[kMedian / 2];
    }
    return smooth;
}

}  // namespace

SyncFrame sync_frame(const Image& picture, const FaceFrame& face, double time_s) {
    SyncFrame frame;
    frame.time_s = time_s;
    for (std::size_t i = 0; i < face.landmarks.size(); ++i) {
        const Point place = face.to_canonical(face.landmarks[i]);
        frame.landmarks[2 * i] = place.x;
        frame.landmarks[2 * i + 1] = place.y;
    }
    const Similarity to_picture = face.to_canonical.inverse();
    // As many places a value as it covers pixels, so that none is passed over.
    const int fine = kMouthStep * std::clamp(static_cast<int>(std::ceil(to_picture.scale())), 1, 8);
    frame.mouth.reserve(std::size_t{SyncFrame::kMouthWidth} * SyncFrame::kMouthHeight);
    for (int y = 0; y < SyncFrame::kMouthHeight; ++y)
        for (int x = 0; x < SyncFrame::kMouthWidth; ++x) {
            double luma = 0;
            for (int j = 0; j < fine; ++j)
                for (int i = 0; i < fine; ++i) {
                    const auto inside = [fine](int k) {
                        return kMouthStep * (static_cast<float>(k) + 0.5F) / static_cast<float>(fine) - 0.5F;
                    };
                    const Point p = to_picture({static_cast<float>(kMouthX + kMouthStep * x) + inside(i),
                                                static_cast<float>(kMouthY + kMouthStep * y) + inside(j)});
                    const auto [r, g, b] = colour_at(picture, p.x, p.y);
                    luma += 0.299 * r + 0.587 * g + 0.114 * b;
                }
            frame.mouth.push_back(byte_of(luma / (fine * fine)));
        }
    return frame;
}

std::vector<Box> syncnet_boxes(const std::vector<FaceFrame>& faces) {
    std::vector<double> xs, ys, halves;
    for (const FaceFrame& face : faces) {
        float left = face.landmarks[0].x, right = left, brows = face.landmarks[17].y, chin = face.landmarks[8].y;
        for (const Point& point : face.landmarks) {
            left = std::min(left, point.x);
            right = std::max(right, point.x);
            brows = std::min(brows, point.y);
            chin = std::max(chin, point.y);
        }
        const double top = brows - kForehead * (chin - brows);
        xs.push_back((left + right) / 2);
        ys.push_back((top + chin) / 2);
        halves.push_back(std::max(chin - top, static_cast<double>(right - left)) / 2);
    }
    xs = median_smoothed(xs);
    ys = median_smoothed(ys);
    halves = median_smoothed(halves);
    std::vector<Box> boxes;
    for (std::size_t i = 0; i < xs.size(); ++i) {
        const double side = 2 * halves[i] * (1 + kCropScale);
        boxes.push_back({static_cast<float>(std::trunc(xs[i] - side / 2)),
                         static_cast<float>(std::trunc(ys[i] - halves[i])), static_cast<float>(side),
                         static_cast<float>(side)});
    }
    return boxes;
}

Image syncnet_face(const Image& picture, const Box& box) {
    Image face(kSyncNetSide, kSyncNetSide);
    for (int y = 0; y < kSyncNetSide; ++y)
        for (int x = 0; x < kSyncNetSide; ++x) {
            const double px = box.x + (x + 0.5) * static_cast<double>(box.width) / kSyncNetSide - 0.5;
            const double py = box.y + (y + 0.5) * static_cast<double>(box.height) / kSyncNetSide - 0.5;
            const bool beyond = px < -0.5 || py < -0.5 || px > picture.width - 0.5 || py > picture.height - 0.5;
            const auto colour = beyond ? std::array{kBeyond, kBeyond, kBeyond} : colour_at(picture, px, py);
            for (std::size_t c = 0; c < 3; ++c) face.at(x, y)[c] = byte_of(colour[c]);
        }
    return face;
}

}  // namespace omnisync::command
