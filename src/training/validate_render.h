// How near corrected mouths come to true ones on footage that was not trained on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/api.h"
#include "engines/portable/render_net.h"
#include "training/render_samples.h"

namespace omnisync::training {

/// Of one sample: PSNR in dB where the mouth matte is; sharpness there as variance of the Laplacian of luma, made /
/// true.
struct RenderSampleScore {
    double frame_db = 0;     ///< the source frame as it is
    double warped_db = 0;    ///< the source frame, warped to the target
    double proposal_db = 0;  ///< what borrowing gives
    double result_db = 0;    ///< what the net makes of it
    double proposal_sharpness = 0;
    double result_sharpness = 0;
};

/// Means over samples; of sharpness, medians.
struct RenderScore : RenderSampleScore {
    double worse = 0;  ///< share of samples whose result lies more than 0.1 dB below the proposal
    std::int64_t samples = 0;
};

struct RenderTrial {
    portable::RenderSteps steps = {};
    bool exemplars = true;  ///< false: nothing is borrowed but the source frame
    std::int64_t samples = 128;
    std::int64_t pictures = 0;  ///< of the first samples, rows to look at
};

struct RenderResults {
    std::vector<RenderSampleScore> samples;
    std::vector<PictureRow> pictures;  ///< source, exemplar, proposal, result, truth; 96 pixels a side
};

/// `held_out` gives whole batches, so `trial.samples` is rounded up. Asks `stop`, if given, between batches; throws
/// Error(interrupted).
[[nodiscard]] RenderResults try_render(const portable::RenderNet& net, const RenderSampler& held_out,
                                       const RenderTrial& trial, const std::function<bool()>& stop = {});
[[nodiscard]] RenderScore mean_of(const std::vector<RenderSampleScore>& samples);

}  // namespace omnisync::training
