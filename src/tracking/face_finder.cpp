#include "tracking/face_finder.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "tracking/flow.h"
#include "tracking/geometry.h"

namespace omnisync::tracking {
namespace {

constexpr double kCoarsePixels = 1280.0 * 720.0;
constexpr double kFinePixels = 3840.0 * 2160.0;

GrayView view_of(const cv::Mat& picture) {
    return {picture.data, static_cast<std::ptrdiff_t>(picture.step[0]), picture.cols, picture.rows};
}

cv::Mat scaled(const GrayView& picture, double scale) {
    const cv::Mat whole(picture.height, picture.width, CV_8UC1, const_cast<std::uint8_t*>(picture.data),
                        static_cast<std::size_t>(picture.stride));
    if (scale == 1) return whole;
    const cv::Size size(std::max(1, static_cast<int>(std::lround(picture.width * scale))),
                        std::max(1, static_cast<int>(std::lround(picture.height * scale))));
    cv::Mat result;
    cv::resize(whole, result, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    return result;
}

void to_picture(std::vector<Candidate>& found, double scale_x, double scale_y) {
    for (Candidate& candidate : found) {
        Box& box = candidate.box;
        box = {static_cast<float>((box.x + 0.5) / scale_x - 0.5), static_cast<float>((box.y + 0.5) / scale_y - 0.5),
               static_cast<float>(box.width / scale_x), static_cast<float>(box.height / scale_y)};
    }
}

void keep_best(std::vector<Candidate>& found) {
    std::stable_sort(found.begin(), found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
    std::vector<Candidate> kept;
    for (const Candidate& candidate : found)
        if (std::none_of(kept.begin(), kept.end(),
                         [&](const Candidate& better) { return overlap(better.box, candidate.box) > 0.3F; }))
            kept.push_back(candidate);
    found = std::move(kept);
}

}  // namespace

std::vector<Candidate> FaceFinder::everywhere(const GrayView& picture, Search search) {
    const double pixels = double(picture.width) * picture.height;
    const double limit = search == Search::fine ? kFinePixels : kCoarsePixels;
    const double scale = std::min(search == Search::coarse ? 1.0 : 2.0, std::sqrt(limit / pixels));
    const cv::Mat sized = scaled(picture, scale);
    const double scale_x = double(sized.cols) / picture.width;
    const double scale_y = double(sized.rows) / picture.height;
    std::vector<Candidate> found;
    if (search == Search::stylised) {
        cv::Mat even;
        cv::createCLAHE(3, {8, 8})->apply(sized, even);
        found = scan_.scan(view_of(even), 0);
        cv::Mat brighter;
        cv::Mat table(1, 256, CV_8UC1);
        for (int i = 0; i < 256; ++i)
            table.at<std::uint8_t>(i) = static_cast<std::uint8_t>(std::lround(255 * std::sqrt(i / 255.0)));
        cv::LUT(sized, table, brighter);
        for (const Candidate& candidate : scan_.scan(view_of(brighter), 0)) found.push_back(candidate);
    } else {
        found = scan_.scan(view_of(sized), 0);
    }
    to_picture(found, scale_x, scale_y);
    keep_best(found);
    return found;
}

std::vector<Candidate> FaceFinder::near(const GrayView& picture, const Box& expected, double threshold) {
    constexpr double kFace = 88;  // pixels: a little more than the detector's window
    constexpr double kAround = 1.7;
    const double side = std::max(8.0, kAround * std::max(expected.width, expected.height));
    const Point middle = centre(expected);
    const PatchPlace place{static_cast<int>(std::lround(middle.x - side / 2)),
                           static_cast<int>(std::lround(middle.y - side / 2)), static_cast<int>(std::lround(side))};
    const Patch patch = cut(picture, place, static_cast<int>(kFace * kAround));
    std::vector<Candidate> found = scan_.scan(patch.view(), threshold);
    for (Candidate& candidate : found) {
        Box& box = candidate.box;
        const Point corner = patch.to_picture({box.x, box.y});
        box = {corner.x, corner.y, static_cast<float>(box.width * patch.step),
               static_cast<float>(box.height * patch.step)};
    }
    return found;
}

}  // namespace omnisync::tracking
