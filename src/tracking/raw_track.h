// What the following of faces gives, before anything is smoothed over time.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "omnisync/faces.h"
#include "tracking/face_look.h"

namespace omnisync::tracking {

/// One face in one frame, as measured there and then.
struct RawFace {
    enum class Source : std::uint8_t {
        detected,  ///< the detector saw it in this very frame
        followed,  ///< found from the frame before, and the landmark model agreed
        bridged    ///< not seen: everything but `box` is a guess
    };
    Source source = Source::bridged;
    Box box;                                     ///< as dlib's frontal detector would draw it
    float confidence = 0;                        ///< 0 .. 1
    Landmarks fitted{};                          ///< the landmark model, on this frame alone: noisy, unbiased
    Landmarks carried{};                         ///< the last frame's `fitted`, moved here by optical flow
    std::array<float, kLandmarks> flow_error{};  ///< pixels between a point and its way forth and back; < 0: no flow
    FaceLook look;                               ///< what quality is judged from
};

/// One face through neighbouring frames of one shot.
struct RawTrack {
    int person = 0;  ///< 0: not known; equal numbers: the same person
    int shot = 0;
    std::int64_t first_frame = 0;
    std::vector<RawFace> faces;
};

}  // namespace omnisync::tracking
