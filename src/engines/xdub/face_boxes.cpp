#include "engines/xdub/face_boxes.h"

#include <algorithm>
#include <cmath>

#include "engines/xdub/smoothing.h"
#include "omnisync/error.h"

namespace omnisync::xdub {
namespace {

constexpr double kBoxPerFace = 1.45;
constexpr double kForehead = 1.1;       // from the eyes on, in distances of chin and eyes
constexpr double kStillShare = 0.16;    // of the union's side
constexpr double kSameSideShare = 0.1;  // of the mean side
constexpr int kInnerEyes[] = {39, 42};  // iBUG-68
constexpr int kJaw[] = {3, 13};

struct Span {
    double low = 0;
    double high = 0;
    [[nodiscard]] double length() const { return high - low; }
    [[nodiscard]] double middle() const { return (low + high) / 2; }
};

Span around(double middle, double length) {
    return {middle - length / 2, middle + length / 2};
}

/// As it is moved, not cut, except where it is longer than `limit`.
Span pushed_inside(Span span, double limit) {
    if (span.low < 0) span = {0, span.length()};
    if (span.high > limit) span = {std::max(0.0, span.low - (span.high - limit)), limit};
    return span;
}

Series series_of(std::span<const FloatBox> boxes) {
    Series series(4, boxes.size());
    for (std::size_t i = 0; i < boxes.size(); ++i)
        std::ranges::copy(std::array{boxes[i].x1, boxes[i].y1, boxes[i].x2, boxes[i].y2}, series.row(i).begin());
    return series;
}

FloatBox box_of(const Span& x, const Span& y) {
    return {static_cast<float>(x.low), static_cast<float>(y.low), static_cast<float>(x.high),
            static_cast<float>(y.high)};
}

std::vector<FloatBox> boxes_in(const Series& series) {
    std::vector<FloatBox> boxes;
    for (std::size_t i = 0; i < series.frames(); ++i) {
        const auto row = series.row(i);
        boxes.push_back({row[0], row[1], row[2], row[3]});
    }
    return boxes;
}

FloatBox union_of(std::span<const FloatBox> boxes) {
    FloatBox all = boxes.front();
    for (const FloatBox& box : boxes) {
        all.x1 = std::min(all.x1, box.x1);
        all.y1 = std::min(all.y1, box.y1);
        all.x2 = std::max(all.x2, box.x2);
        all.y2 = std::max(all.y2, box.y2);
    }
    return all;
}

/// F3 and F4.
Series smooth_landmarks(std::span<const Landmarks> landmarks, double fps) {
    const int frames = static_cast<int>(landmarks.size());
    Series series(2 * kLandmarks, landmarks.size());
    for (std::size_t i = 0; i < landmarks.size(); ++i) std::ranges::copy(landmarks[i], series.row(i).begin());
    const int first = fitted_window(window_at(15, fps), frames, 5);
    for (int pass = 0; pass < 5; ++pass) {
        const int wider = window_at(4 * pass + 1, fps) - 1;
        series = quadratic_mirrored(series, fitted_window(first + wider, frames, 5));
    }
    return moving_mean_fitted(moving_mean_fitted(series, window_at(17, fps)), window_at(7, fps));
}

Span axis_of_square(double middle, double side, double limit) {
    Span span = around(middle, side);
    if (span.low < 0) span = {0, std::min(side, limit)};
    if (span.high > limit) span = {std::max(0.0, limit - side), limit};
    return span;
}

/// F5 and F6 for one frame.
FloatBox box_round(std::span<const float> points, FrameSize frame) {
    const double limits[] = {static_cast<double>(frame.width), static_cast<double>(frame.height)};
    Span extent[2];
    for (std::size_t axis = 0; axis < 2; ++axis) {
        const auto at = [&](int point) {
            return static_cast<double>(points[2 * static_cast<std::size_t>(point) + axis]);
        };
        const auto pixel = [&](double share) { return std::clamp(share, 0.0, 1.0) * limits[axis]; };
        const double eyes = (at(kInnerEyes[0]) + at(kInnerEyes[1])) / 2;
        const double jaw = (at(kJaw[0]) + at(kJaw[1])) / 2;
        extent[axis].low = extent[axis].high = pixel(eyes + kForehead * (eyes - jaw));
        for (std::size_t point = 0; point < kLandmarks; ++point) {
            const double place = pixel(points[2 * point + axis]);
            extent[axis] = {std::min(extent[axis].low, place), std::max(extent[axis].high, place)};
        }
    }
    const double side = kBoxPerFace * std::max(extent[0].length(), extent[1].length());
    if (side > std::min(limits[0], limits[1])) {
        const double largest = std::min(limits[0], limits[1]);
        return box_of(pushed_inside(around(extent[0].middle(), largest), limits[0]),
                      pushed_inside(around(extent[1].middle(), largest), limits[1]));
    }
    return box_of(axis_of_square(extent[0].middle(), side, limits[0]),
                  axis_of_square(extent[1].middle(), side, limits[1]));
}

FloatBox squared(const FloatBox& box) {
    const Span x{box.x1, box.x2};
    const Span y{box.y1, box.y2};
    const double side = std::max(x.length(), y.length());
    return box_of(around(x.middle(), side), around(y.middle(), side));
}

double longer_side(const FloatBox& box) {
    return std::max(static_cast<double>(box.x2) - box.x1, static_cast<double>(box.y2) - box.y1);
}

FloatBox square_inside(double x, double y, double side, FrameSize frame) {
    return box_of(pushed_inside(around(x, side), frame.width), pushed_inside(around(y, side), frame.height));
}

/// The moving means, and the parabola where `window` is negative, one after the other.
Series smoothed(Series series, std::initializer_list<int> windows, double fps) {
    for (const int window : windows)
        series =
            window < 0 ? quadratic_held(series, window_at(-window, fps)) : moving_mean(series, window_at(window, fps));
    return series;
}

std::vector<FloatBox> smooth_still(const Series& boxes, FrameSize frame, double fps) {
    const FloatBox all = union_of(boxes_in(smoothed(boxes, {5}, fps)));
    const double side =
        std::min({longer_side(all), static_cast<double>(frame.width), static_cast<double>(frame.height)});
    const FloatBox box = square_inside(Span{all.x1, all.x2}.middle(), Span{all.y1, all.y2}.middle(), side, frame);
    return std::vector<FloatBox>(boxes.frames(), box);
}

std::vector<FloatBox> smooth_moving(const Series& boxes, FrameSize frame, double fps) {
    const std::vector<FloatBox> means = boxes_in(smoothed(boxes, {5}, fps));
    double side = 0;
    Series centres(2, means.size());
    for (std::size_t i = 0; i < means.size(); ++i) {
        side = std::max(side, longer_side(means[i]));
        centres.row(i)[0] = static_cast<float>(Span{means[i].x1, means[i].x2}.middle());
        centres.row(i)[1] = static_cast<float>(Span{means[i].y1, means[i].y2}.middle());
    }
    side = std::min({side, static_cast<double>(frame.width), static_cast<double>(frame.height)});
    centres = smoothed(centres, {15, -25, 11, 7, 3}, fps);
    std::vector<FloatBox> result;
    for (std::size_t i = 0; i < centres.frames(); ++i)
        result.push_back(square_inside(centres.row(i)[0], centres.row(i)[1], side, frame));
    return result;
}

std::vector<FloatBox> smooth_free(const Series& boxes, FrameSize frame, double fps) {
    Series places = smoothed(boxes, {5, 11, -25, 7, 3}, fps);
    Series sides(1, places.frames());
    for (std::size_t i = 0; i < places.frames(); ++i) {
        const auto row = places.row(i);
        sides.row(i)[0] = std::min(row[2] - row[0], row[3] - row[1]);
    }
    sides = smoothed(sides, {11, -25, 7}, fps);
    const auto width = static_cast<float>(frame.width);
    const auto height = static_cast<float>(frame.height);
    for (std::size_t i = 0; i < places.frames(); ++i) {
        const auto row = places.row(i);
        row[0] = std::max(row[0], 0.0F);
        row[1] = std::max(row[1], 0.0F);
        const float side = std::min({sides.row(i)[0], height - row[1], width - row[0]});
        row[2] = row[0] + side;
        row[3] = row[1] + side;
    }
    std::vector<FloatBox> result = boxes_in(smoothed(places, {11, 7, 3}, fps));
    for (FloatBox& box : result)
        box = {std::clamp(box.x1, 0.0F, width), std::clamp(box.y1, 0.0F, height), std::clamp(box.x2, 0.0F, width),
               std::clamp(box.y2, 0.0F, height)};
    return result;
}

}  // namespace

Landmarks normalise(const Landmarks& pixels, FrameSize frame) {
    Landmarks result;
    for (std::size_t i = 0; i < result.size(); ++i)
        result[i] = pixels[i] / static_cast<float>(i % 2 == 0 ? frame.width : frame.height);
    return result;
}

std::vector<Landmarks> filter_landmarks(std::span<const Landmarks> landmarks, std::span<const Scores> scores,
                                        double fps) {
    std::vector<Landmarks> result(landmarks.begin(), landmarks.end());
    const bool as_released = fps == 25.0;
    for (std::size_t frame = 1; frame < result.size(); ++frame) {
        for (std::size_t i = 0; i < 2 * kLandmarks; ++i) {
            const float before = result[frame - 1][i];
            const float step = landmarks[frame][i] - before;
            double share = 0.1;
            if (scores[frame][i / 2] >= 0.3F)
                share += 0.9 / (1 + std::exp(3 - 600 * std::abs(static_cast<double>(step))));
            // What is left of a difference after the same time is the same at every frame rate.
            if (!as_released) share = 1 - std::pow(1 - share, 25.0 / fps);
            result[frame][i] = static_cast<float>(before + share * step);
        }
    }
    return result;
}

std::vector<FloatBox> boxes_of(std::span<const Landmarks> filtered, FrameSize frame, double fps) {
    if (filtered.empty()) return {};
    const Series points = smooth_landmarks(filtered, fps);
    std::vector<FloatBox> boxes;
    for (std::size_t i = 0; i < points.frames(); ++i) boxes.push_back(box_round(points.row(i), frame));
    boxes = boxes_in(moving_mean_fitted(series_of(boxes), window_at(7, fps)));
    std::ranges::transform(boxes, boxes.begin(), squared);
    return boxes;
}

FaceMotion judge_motion(std::span<const FloatBox> boxes) {
    const FloatBox all = union_of(boxes);
    const double dx = kStillShare * (static_cast<double>(all.x2) - all.x1);
    const double dy = kStillShare * (static_cast<double>(all.y2) - all.y1);
    const auto stays = [&](const FloatBox& box) {
        return box.x1 - all.x1 <= dx && all.x2 - box.x2 <= dx && box.y1 - all.y1 <= dy && all.y2 - box.y2 <= dy;
    };
    if (std::ranges::all_of(boxes, stays)) return FaceMotion::still;
    double mean = 0;
    for (const FloatBox& box : boxes) mean += static_cast<double>(box.x2) - box.x1;
    mean /= static_cast<double>(boxes.size());
    const auto as_large = [mean](const FloatBox& box) {
        return std::abs(static_cast<double>(box.x2) - box.x1 - mean) <= kSameSideShare * mean;
    };
    return std::ranges::all_of(boxes, as_large) ? FaceMotion::moving : FaceMotion::free;
}

FloatBox shifted_inside(FloatBox box, FrameSize frame) {
    if (const auto height = static_cast<float>(frame.height); box.y2 > height) {
        box.y1 -= box.y2 - height;
        box.y2 = height;
    }
    if (box.y1 < 0) {
        box.y2 -= box.y1;
        box.y1 = 0;
    }
    return box;
}

std::vector<FloatBox> smooth_boxes(std::span<const FloatBox> boxes, FaceMotion motion, FrameSize frame, double fps) {
    if (boxes.empty()) return {};
    const Series series = series_of(boxes);
    std::vector<FloatBox> result = motion == FaceMotion::still    ? smooth_still(series, frame, fps)
                                   : motion == FaceMotion::moving ? smooth_moving(series, frame, fps)
                                                                  : smooth_free(series, frame, fps);
    for (FloatBox& box : result) box = shifted_inside(box, frame);
    return result;
}

Box whole_pixels(const FloatBox& box, FrameSize frame) {
    Box whole;
    whole.x1 = std::clamp(static_cast<int>(std::floor(box.x1)), 0, frame.width - 1);
    whole.y1 = std::clamp(static_cast<int>(std::floor(box.y1)), 0, frame.height - 1);
    whole.x2 = std::clamp(static_cast<int>(std::ceil(box.x2)), whole.x1 + 1, frame.width);
    whole.y2 = std::clamp(static_cast<int>(std::ceil(box.y2)), whole.y1 + 1, frame.height);
    return whole;
}

FaceBoxes find_boxes(std::span<const Landmarks> landmarks, std::span<const Scores> scores, FrameSize frame,
                     double fps) {
    require(!landmarks.empty() && landmarks.size() == scores.size(), ExitCode::bad_data, "a face with ",
            landmarks.size(), " frames of landmarks and ", scores.size(), " of scores");
    require(std::isfinite(fps) && fps > 0 && frame.width > 0 && frame.height > 0, ExitCode::bad_data,
            "a face in a picture of ", frame.width, "x", frame.height, " at ", fps, " frames a second");
    for (std::size_t i = 0; i < landmarks.size(); ++i)
        require(std::ranges::all_of(landmarks[i], [](float value) { return std::isfinite(value); }), ExitCode::bad_data,
                "the landmarks of frame ", i, " of a face are not finite");
    const std::vector<FloatBox> boxes = boxes_of(filter_landmarks(landmarks, scores, fps), frame, fps);
    FaceBoxes result{judge_motion(boxes), {}};
    for (const FloatBox& box : smooth_boxes(boxes, result.motion, frame, fps))
        result.boxes.push_back(whole_pixels(box, frame));
    return result;
}

}  // namespace omnisync::xdub
