#include "tracking/flow.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <opencv2/video/tracking.hpp>

namespace omnisync::tracking {
namespace {

constexpr int kLevels = 3;  // above the patch itself: movements of half a face and more
const cv::Size kWindow{15, 15};

}  // namespace

PatchPlace place_around(const Box& face) {
    const double side = std::max(8.0, 2.0 * std::max(face.width, face.height));
    const int whole = static_cast<int>(std::lround(side));
    return {static_cast<int>(std::lround(face.x + face.width / 2 + 0.5 - whole / 2.0)),
            static_cast<int>(std::lround(face.y + face.height / 2 + 0.5 - whole / 2.0)), whole};
}

Patch cut(const GrayView& picture, const PatchPlace& place, int side) {
    const cv::Mat whole(picture.height, picture.width, CV_8UC1, const_cast<std::uint8_t*>(picture.data),
                        static_cast<std::size_t>(picture.stride));
    const cv::Rect wanted(place.left, place.top, place.side, place.side);
    cv::Rect inside = wanted & cv::Rect(0, 0, picture.width, picture.height);
    if (inside.empty())  // a face that left the picture: its nearest pixel
        inside = {std::clamp(place.left, 0, picture.width - 1), std::clamp(place.top, 0, picture.height - 1), 1, 1};
    cv::Mat part = whole(inside);
    if (inside != wanted) {
        const int before_x = std::clamp(inside.x - wanted.x, 0, place.side - inside.width);
        const int before_y = std::clamp(inside.y - wanted.y, 0, place.side - inside.height);
        cv::Mat padded;
        cv::copyMakeBorder(part, padded, before_y, place.side - inside.height - before_y, before_x,
                           place.side - inside.width - before_x, cv::BORDER_REPLICATE | cv::BORDER_ISOLATED);
        part = padded;
    }
    Patch patch;
    patch.left = place.left;
    patch.top = place.top;
    patch.step = static_cast<double>(place.side) / side;
    cv::resize(part, patch.gray, {side, side}, 0, 0, place.side > side ? cv::INTER_AREA : cv::INTER_LINEAR);
    return patch;
}

Pyramid make_pyramid(const Patch& patch) {
    Pyramid pyramid;
    cv::buildOpticalFlowPyramid(patch.gray, pyramid, kWindow, kLevels);
    return pyramid;
}

Flow follow(const Pyramid& before, const Pyramid& now, const Landmarks& points) {
    std::vector<cv::Point2f> from;
    for (const Point& point : points) from.emplace_back(point.x, point.y);
    std::vector<cv::Point2f> to;
    std::vector<cv::Point2f> back;
    std::vector<std::uint8_t> forth_found;
    std::vector<std::uint8_t> back_found;
    std::vector<float> unused;
    const cv::TermCriteria enough(cv::TermCriteria::COUNT | cv::TermCriteria::EPS, 20, 0.02);
    cv::calcOpticalFlowPyrLK(before, now, from, to, forth_found, unused, kWindow, kLevels, enough);
    back = from;
    // The way back starts where it should end: what it has to show is that it stays there.
    cv::calcOpticalFlowPyrLK(now, before, to, back, back_found, unused, kWindow, 1, enough,
                             cv::OPTFLOW_USE_INITIAL_FLOW);
    Flow flow;
    for (std::size_t i = 0; i < kLandmarks; ++i) {
        const bool found =
            forth_found[i] != 0 && back_found[i] != 0 && std::isfinite(to[i].x) && std::isfinite(to[i].y);
        flow.points[i] = found ? Point{to[i].x, to[i].y} : points[i];
        flow.error[i] = found ? std::hypot(back[i].x - from[i].x, back[i].y - from[i].y) : -1;
    }
    return flow;
}

}  // namespace omnisync::tracking
