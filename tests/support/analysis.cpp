#include "support/analysis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace omnisync::test {
namespace {

// A frontal face in units of the distance between the outer eye corners, its centre between eyes and mouth.
Landmarks frontal_face() {
    Landmarks points{};
    for (int i = 0; i <= 16; ++i) {  // jaw: half an ellipse
        const double angle = 3.14159265 * i / 16;
        points[static_cast<std::size_t>(i)] = {static_cast<float>(-0.8 * std::cos(angle)),
                                               static_cast<float>(-0.3 + 1.3 * std::sin(angle))};
    }
    for (int i = 17; i <= 26; ++i)
        points[static_cast<std::size_t>(i)] = {-0.55F + 0.122F * static_cast<float>(i - 17), -0.6F};
    for (int i = 27; i <= 30; ++i)
        points[static_cast<std::size_t>(i)] = {0, -0.35F + 0.13F * static_cast<float>(i - 27)};
    for (int i = 31; i <= 35; ++i) points[static_cast<std::size_t>(i)] = {0.1F * static_cast<float>(i - 33), 0.15F};
    constexpr std::array<std::pair<float, float>, 6> kEye{
        {{-0.5F, -0.35F}, {-0.4F, -0.4F}, {-0.27F, -0.4F}, {-0.17F, -0.35F}, {-0.27F, -0.3F}, {-0.4F, -0.3F}}};
    for (std::size_t i = 0; i < 6; ++i) {
        points[36 + i] = {kEye[i].first, kEye[i].second};
        constexpr std::array<std::size_t, 6> kMirrored{3, 2, 1, 0, 5, 4};
        points[42 + i] = {-kEye[kMirrored[i]].first, kEye[kMirrored[i]].second};
    }
    for (int i = 0; i < 12; ++i) {  // outer lips, from the left corner over the upper lip
        const double angle = 3.14159265 * (1 + i / 6.0);
        points[static_cast<std::size_t>(48 + i)] = {static_cast<float>(0.3 * std::cos(angle)),
                                                    static_cast<float>(0.45 + 0.1 * std::sin(angle))};
    }
    constexpr std::array<float, 8> kInner{-0.24F, -0.1F, 0, 0.1F, 0.24F, 0.1F, 0, -0.1F};
    for (std::size_t i = 0; i < 8; ++i) points[60 + i] = {kInner[i], 0.45F};
    return points;
}

}  // namespace

Analysis empty_analysis(std::int64_t frames, int fps) {
    Analysis analysis;
    analysis.video = {1234, std::string(64, 'a')};
    analysis.picture = {640, 360};
    analysis.time_base = {1, fps};
    for (std::int64_t i = 0; i < frames; ++i) analysis.pts.push_back(i);
    analysis.method = "made up";
    return analysis;
}

FaceFrame plain_face(float x, float y, float width) {
    static const Landmarks kFace = frontal_face();
    FaceFrame face;
    const float unit = width / 1.6F;
    for (std::size_t i = 0; i < kFace.size(); ++i) face.landmarks[i] = {x + unit * kFace[i].x, y + unit * kFace[i].y};
    // Where the canonical face has its eyes and nose, to a few pixels.
    const double scale = 72.0 / unit;
    face.to_canonical = {scale, 0, 80 - scale * x, 80 - scale * y};
    face.quality = {160.0F / static_cast<float>(scale), 0.8F, 0.5F, 0};
    face.confidence = 1;
    return face;
}

void open_mouth(FaceFrame& face, float share) {
    const float eyes =
        std::hypot(face.landmarks[45].x - face.landmarks[36].x, face.landmarks[45].y - face.landmarks[36].y);
    for (const std::size_t i : {61U, 62U, 63U}) face.landmarks[i].y -= share * eyes / 3;
    for (const std::size_t i : {65U, 66U, 67U}) face.landmarks[i].y += share * eyes * 2 / 3;
    for (const std::size_t i : {55U, 56U, 57U, 58U, 59U}) face.landmarks[i].y += share * eyes * 2 / 3;
    for (const std::size_t i : {49U, 50U, 51U, 52U, 53U}) face.landmarks[i].y -= share * eyes / 3;
}

FaceTrack& add_track(Analysis& analysis, std::int64_t first, std::int64_t frames, float x, float y, float width) {
    FaceTrack track;
    track.id = static_cast<int>(analysis.tracks.size()) + 1;
    track.person = track.id;
    track.first_frame = first;
    track.frames.assign(static_cast<std::size_t>(frames), plain_face(x, y, width));
    return analysis.tracks.emplace_back(std::move(track));
}

}  // namespace omnisync::test
