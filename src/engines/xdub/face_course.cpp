#include "engines/xdub/face_course.h"

#include "engines/xdub/face_boxes.h"

namespace omnisync::xdub {

std::vector<Box> face_course(const FaceTrack& track, Size picture, double fps) {
    const FrameSize size{picture.width, picture.height};
    std::vector<Landmarks> landmarks;
    for (const FaceFrame& face : track.frames) {
        Landmarks& pixels = landmarks.emplace_back();
        for (std::size_t i = 0; i < kLandmarks; ++i) {
            pixels[2 * i] = face.landmarks[i].x;
            pixels[2 * i + 1] = face.landmarks[i].y;
        }
        pixels = normalise(pixels, size);
    }
    Scores sure;
    sure.fill(1);  // what was not seen is interpolated already
    const std::vector<Scores> scores(landmarks.size(), sure);
    return find_boxes(landmarks, scores, size, fps).boxes;
}

}  // namespace omnisync::xdub
