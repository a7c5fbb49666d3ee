// Figures that are taken of some pictures only, because they take long: naturalness, identity.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "evaluation_faces.h"
#include "omnisync/frame.h"
#include "omnisync/picture.h"

namespace omnisync::command {

struct Measurements;
struct Walk;

class EvaluationSamples {
public:
    /// `reference`: null without one. Throws Error(bad_data) for an identity network that is none.
    EvaluationSamples(const Walk& walk, const VideoInfo& video, const VideoInfo* reference);
    EvaluationSamples(const EvaluationSamples&) = delete;
    EvaluationSamples& operator=(const EvaluationSamples&) = delete;
    ~EvaluationSamples();

    /// Looks at the picture if it is one of those; adds to the series of `found` that say so.
    void add(std::int64_t number, const std::optional<Frame>& picture, const std::optional<Frame>& before,
             const GrayView& luma, const std::optional<GrayView>& luma_before, const std::vector<MeasuredFace>& faces,
             Measurements& found);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace omnisync::command
