// A face's surroundings brought to one size, and points followed from one frame to the next in it.
#pragma once

#include <array>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

#include "omnisync/faces.h"
#include "omnisync/picture.h"

namespace omnisync::tracking {

/// A square part of a picture, scaled: pixel (x, y) of it lies at `to_picture` of it. Beyond the edge, the edge.
struct Patch {
    static constexpr int kSide = 288;  ///< a face fills half of it
    cv::Mat gray;
    double left = 0;  ///< edge, in the picture's pixels
    double top = 0;
    double step = 1;  ///< pixels of the picture per pixel of the patch

    [[nodiscard]] Point to_picture(Point p) const {
        return {static_cast<float>(left + (p.x + 0.5) * step - 0.5),
                static_cast<float>(top + (p.y + 0.5) * step - 0.5)};
    }
    [[nodiscard]] Point from_picture(Point p) const {
        return {static_cast<float>((p.x + 0.5 - left) / step - 0.5),
                static_cast<float>((p.y + 0.5 - top) / step - 0.5)};
    }
    [[nodiscard]] Similarity picture_to_patch() const {
        return {1 / step, 0, (0.5 - left) / step - 0.5, (0.5 - top) / step - 0.5};
    }
    [[nodiscard]] GrayView view() const {
        return {gray.data, static_cast<std::ptrdiff_t>(gray.step[0]), gray.cols, gray.rows};
    }
};

/// Where a patch is cut: whole pixels of the picture.
struct PatchPlace {
    int left = 0;
    int top = 0;
    int side = 1;
    friend bool operator==(const PatchPlace&, const PatchPlace&) = default;
};
/// Around a face's box, twice its size.
[[nodiscard]] PatchPlace place_around(const Box& face);
[[nodiscard]] Patch cut(const GrayView& picture, const PatchPlace& place, int side = Patch::kSide);

/// Pyramids of a patch, kept for the next frame.
using Pyramid = std::vector<cv::Mat>;
[[nodiscard]] Pyramid make_pyramid(const Patch& patch);

struct Flow {
    Landmarks points{};
    std::array<float, kLandmarks> error{};  ///< pixels between a point and its way forth and back; < 0: lost
};
/// Pyramidal Lucas-Kanade forth and back; all in pixels of the patches, which show the same place.
[[nodiscard]] Flow follow(const Pyramid& before, const Pyramid& now, const Landmarks& points);

}  // namespace omnisync::tracking
