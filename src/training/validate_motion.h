// How well a motion planner follows the truth on clips that it was not trained on.
#pragma once

#include <string>
#include <vector>

#include "engines/portable/motion_planner.h"
#include "training/footage.h"

namespace omnisync::training {

/// A made curve of lip opening against the true one.
struct OpeningScore {
    double correlation = 0;       ///< Pearson, as they lie
    double spread = 0;            ///< deviation made / true
    double best_correlation = 0;  ///< the highest with the true one up to kMostLag motion frames earlier or later
    double best_lag_s = 0;        ///< where it lies; positive: the clip's picture is later than its sound says
};
inline constexpr int kMostLag = 4;

/// `made` and `truth` [n], at kMotionRateHz, n > 2 * kMostLag.
[[nodiscard]] OpeningScore score_opening(const at::Tensor& made, const at::Tensor& truth);

struct MotionClipScore {
    std::string clip;
    OpeningScore sampled;
    OpeningScore expected;
    double source_correlation = 0;  ///< of the sampled opening with the motion it was made from; 0 for a still one
    double sound_offset_s = 0;      ///< made good
};

/// Means over clips; of the lag, the median.
struct MotionScore {
    OpeningScore sampled;
    OpeningScore expected;
    double source_correlation = 0;
    std::int64_t clips = 0;
};

/// The motion that a plan starts from.
enum class StartMotion {
    still,  ///< the clip's mean shape
    other   ///< what the shard's next clip shows, as in dubbing
};

/// Clips of half a second and more. `sound_offsets_s`: how far each clip's sound lies from its picture by the footage's
/// own fault (own_offsets()), made good before the two are compared; empty: nowhere.
[[nodiscard]] std::vector<MotionClipScore> score_clips(const portable::MotionNet& net,
                                                       const portable::MotionBasis& basis, const Footage& held_out,
                                                       const portable::PlanOptions& options, StartMotion start,
                                                       const std::vector<double>& sound_offsets_s = {});
[[nodiscard]] MotionScore mean_of(const std::vector<MotionClipScore>& clips);

}  // namespace omnisync::training
