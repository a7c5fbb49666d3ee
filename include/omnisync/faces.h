// Faces as the passes and the engines know them: geometry in upright pixels, one state per frame, tracks over time.
//
// Coordinates: the picture as it is meant to be seen (display_size: turned, mirrored, square pixels); x to the right, y
// down; the centre of the top left pixel is (0, 0). Sides ("left") are the viewer's.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace omnisync {

struct Point {
    float x = 0;
    float y = 0;
    friend bool operator==(const Point&, const Point&) = default;
};

/// `x`, `y`: the upper left edge (not a pixel's centre).
struct Box {
    float x = 0;
    float y = 0;
    float width = 0;
    float height = 0;
    friend bool operator==(const Box&, const Box&) = default;
};

/// The 68 points of the iBUG 300-W scheme, as dlib numbers them: jaw 0..16, brows 17..26, nose bridge 27..30, nose base
/// 31..35, eyes 36..47, outer lips 48..59, inner lips 60..67.
inline constexpr int kLandmarks = 68;
using Landmarks = std::array<Point, kLandmarks>;

/// x' = a x - b y + dx, y' = b x + a y + dy.
struct Similarity {
    double a = 1;
    double b = 0;
    double dx = 0;
    double dy = 0;

    [[nodiscard]] Point operator()(Point p) const;
    [[nodiscard]] Similarity inverse() const;  ///< of a scale above 0
    [[nodiscard]] double scale() const;
    [[nodiscard]] double angle_rad() const;
    friend bool operator==(const Similarity&, const Similarity&) = default;
};

/// The canonical face: a square of this many pixels, into which a similarity fitted to the rigid landmarks (eye
/// corners, nose bridge and base) brings every face. Training footage and dubbing use the same (docs/architecture.md).
inline constexpr int kCanonicalSide = 160;

/// Degrees. Yaw > 0: turned to the picture's right. Pitch > 0: looks down. Roll > 0: clockwise as seen.
struct HeadPose {
    float yaw = 0;
    float pitch = 0;
    float roll = 0;
};

/// Why a face cannot be edited in a frame; the first that holds, in this order.
enum class Obstacle : std::uint8_t {
    none,         ///< it can be edited
    not_seen,     ///< a gap that was bridged: the geometry is interpolated
    transition,   ///< inside a fade or a dissolve
    cut_off,      ///< the mouth or the chin lies beyond the picture's edge
    too_small,    ///< too few pixels to draw a mouth in
    turned_away,  ///< further than the engines can draw
    covered,      ///< a hand, a microphone, a subtitle over the mouth
    too_blurred,
    too_dark
};
inline constexpr int kObstacles = 9;
/// For programs: "none", "not_seen", ...
[[nodiscard]] std::string_view name(Obstacle obstacle);
/// In plain words, e.g. "something covers the mouth".
[[nodiscard]] std::string_view reason(Obstacle obstacle);

struct FaceQuality {
    float size_px = 0;    ///< between the outer eye corners and the chin as the canonical face has it: 160 / scale
    float sharpness = 0;  ///< of the lower face at its own resolution, 0 (nothing) .. 1 (as sharp as pixels allow)
    float light = 0;      ///< median luma of the face, 0 .. 1
    float covered = 0;    ///< evidence that something lies over the mouth, 0 .. 1
};

/// One face in one frame.
struct FaceFrame {
    Landmarks landmarks{};    ///< stabilised, in upright pixels of the full-size picture
    Similarity to_canonical;  ///< upright pixels to the canonical face, smoothed over time
    HeadPose pose;
    FaceQuality quality;
    float confidence = 0;  ///< that there is a face here and the landmarks lie on it, 0 .. 1
    float speaks = 0;      ///< that this mouth makes the video's own sound now, 0 .. 1; 0 without sound
    Obstacle obstacle = Obstacle::none;
};

/// How far the lips are apart: mean vertical distance of the three inner pairs of landmarks, in canonical pixels.
[[nodiscard]] double lip_opening(const FaceFrame& face);

/// One person's face through neighbouring frames of one shot; gaps inside are bridged, so there is one FaceFrame a
/// frame.
struct FaceTrack {
    int id = 0;      ///< counted from 1 in order of appearance (left to right in one frame)
    int person = 0;  ///< tracks with the same number show the same person; counted from 1
    int shot = 0;    ///< index of the shot, from 0
    std::int64_t first_frame = 0;
    std::vector<FaceFrame> frames;

    [[nodiscard]] std::int64_t end_frame() const {  ///< one past the last
        return first_frame + static_cast<std::int64_t>(frames.size());
    }
    [[nodiscard]] const FaceFrame* at(std::int64_t frame) const {  ///< null outside the track
        return frame >= first_frame && frame < end_frame() ? &frames[static_cast<std::size_t>(frame - first_frame)]
                                                           : nullptr;
    }
};

/// Frames [first, end) of one track that are all editable, or all not for one reason.
struct FaceSpan {
    std::int64_t first = 0;
    std::int64_t end = 0;
    Obstacle obstacle = Obstacle::none;
};
[[nodiscard]] std::vector<FaceSpan> spans_of(const FaceTrack& track);

}  // namespace omnisync
