// Which mouths are measured: the faces of a result, each beside the face it was made from.
#pragma once

#include <string>
#include <vector>

#include "evaluation.h"
#include "omnisync/analysis.h"
#include "omnisync/speakers.h"

namespace omnisync::command {

/// One face in one picture.
struct MeasuredFace {
    int track = 0;                      ///< FaceTrack::id in the reference; without one, in the video
    const FaceFrame* face = nullptr;    ///< in the video
    const FaceFrame* before = nullptr;  ///< in the reference; null without one
};

/// The faces of both films. Borrows the analyses.
class FacePairs {
public:
    /// `reference`, its `cast` and its picture's size: null and ignored without a reference. `cast`: of the film whose
    /// faces decide, the reference if there is one.
    FacePairs(const Analysis& video, const Analysis* reference, const Cast& cast);

    /// Those of picture `picture` of the video, which shows `shown` of the reference (-1: no such picture): editable
    /// in both, where a part of the cast lies. The largest first.
    [[nodiscard]] std::vector<MeasuredFace> at(std::int64_t picture, std::int64_t shown) const;

private:
    const Analysis& video_;
    const Analysis* reference_;
    const Cast& cast_;
};

}  // namespace omnisync::command
