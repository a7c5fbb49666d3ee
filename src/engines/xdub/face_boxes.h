// From the 68 landmarks of a face to the square that the model is shown: spec section 9, F1 to F10.
//
// Everything here works on one face in one shot: frames in order, none missing. Cuts are the caller's business.
// The released program counts its windows in frames and takes every video for one of 25 frames a second. Here they keep
// their duration: `fps` scales every window, and the time constants of the filter, to what they last at 25; at 25 the
// numbers are the released program's. Working precision: sums in double, what is kept between steps in float32.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "engines/xdub/image.h"

namespace omnisync::xdub {

inline constexpr std::size_t kLandmarks = 68;  ///< iBUG-68 order

/// x, y of each landmark in turn, as fractions of the frame's width and height.
using Landmarks = std::array<float, 2 * kLandmarks>;
/// How sure the landmark model is, about 0 to 1; below 0.3 a point hardly moves.
using Scores = std::array<float, kLandmarks>;

struct FrameSize {
    int width = 0;
    int height = 0;
};

/// Pixels, before rounding.
struct FloatBox {
    float x1 = 0;
    float y1 = 0;
    float x2 = 0;
    float y2 = 0;
};

/// How a face moves through its shot (F8); the numbers are the spec's classes.
enum class FaceMotion {
    still = 1,   ///< one box for the whole shot
    moving = 2,  ///< one size, moving
    free = 3,    ///< size and place change
};

/// F1 for one frame: pixels to fractions.
[[nodiscard]] Landmarks normalise(const Landmarks& pixels, FrameSize frame);

/// F2: each point follows what is measured, slowly when it moves little. As many scores as landmarks.
[[nodiscard]] std::vector<Landmarks> filter_landmarks(std::span<const Landmarks> landmarks,
                                                      std::span<const Scores> scores, double fps);

/// F3 to F7: squares round the smoothed landmarks.
[[nodiscard]] std::vector<FloatBox> boxes_of(std::span<const Landmarks> filtered, FrameSize frame, double fps);

/// F8, first half. Needs at least one box.
[[nodiscard]] FaceMotion judge_motion(std::span<const FloatBox> boxes);

/// F8, second half, and F9.
[[nodiscard]] std::vector<FloatBox> smooth_boxes(std::span<const FloatBox> boxes, FaceMotion motion, FrameSize frame,
                                                 double fps);

/// F9: shifted up where it passes the lower edge, then down where it passes the upper.
[[nodiscard]] FloatBox shifted_inside(FloatBox box, FrameSize frame);

/// F10: inside the frame, at least one pixel each way; by a pixel not a square now and then.
[[nodiscard]] Box whole_pixels(const FloatBox& box, FrameSize frame);

struct FaceBoxes {
    FaceMotion motion = FaceMotion::still;
    std::vector<Box> boxes;  ///< one a frame
};

/// F2 to F10. Throws Error(bad_data) for no frames, other numbers of scores than of landmarks, values that are not
/// finite, or a frame rate that is not positive.
[[nodiscard]] FaceBoxes find_boxes(std::span<const Landmarks> landmarks, std::span<const Scores> scores,
                                   FrameSize frame, double fps);

}  // namespace omnisync::xdub
