// What `dub` did, as a page: pictures, curves, what was left alone and why (--report-html).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "command.h"
#include "evaluation.h"
#include "media/mosaic.h"
#include "omnisync/picture.h"
#include "qa_verdict.h"
#include "report.h"

namespace omnisync::command {

/// Pictures of a run before and after, a few, evenly spread; small, so that memory does not grow with the video.
class DubMoments {
public:
    /// `faces` outlives it.
    explicit DubMoments(const DubFaces& faces);
    /// Of each picture of the output, in order.
    void watch(const Frame& source, const Frame& made);

    struct Moment {
        double time_s = 0;  ///< as Frame::pts
        Image source, made;
        Image source_face, made_face;  ///< around the mouth that is redrawn; empty: none
    };
    /// Of pictures with a redrawn mouth, if there are any.
    [[nodiscard]] std::vector<const Moment*> pick() const;

private:
    const DubFaces& faces_;
    ImageMaker small_, large_;
    media::EvenSelection<Moment> edited_, untouched_;
};

struct DubPage {
    const DubCommand& command;
    const Json& report;  ///< as --report has it
    const Dubbed& done;
    const DubMoments* moments = nullptr;  ///< null: nothing was redrawn
    const Evaluation* evaluation = nullptr;
    const QaVerdict* verdict = nullptr;
};
/// Reads the speech once more, for its curve.
[[nodiscard]] std::string dub_page(const DubPage& page);

}  // namespace omnisync::command
