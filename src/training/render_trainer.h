// Trains the render net of the portable engine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engines/portable/render_net.h"
#include "training/footage.h"
#include "training/optimiser.h"
#include "training/render_samples.h"

namespace omnisync::training {

struct RenderTraining {
    std::vector<std::string> footage;  ///< shards with pictures; each is drawn from equally often
    OptimiserConfig optimiser;
    RenderSampling sampling;
    portable::RenderConfig model;
    bool mixed_precision = false;  ///< see MixedPrecision
};

/// How near made mouths come to true ones on footage that was not trained on, where the mouth matte is: PSNR in dB,
/// mean over samples; sharpness as variance of the Laplacian of luma, made / true, median over samples.
struct RenderScore {
    double frame_db = 0;     ///< the source frame as it is
    double proposal_db = 0;  ///< what borrowing gives
    double result_db = 0;    ///< what the net makes of it
    double proposal_sharpness = 0;
    double result_sharpness = 0;
    std::int64_t samples = 0;
};

/// One training run. Step k depends on the seed and what the steps before left, nothing else.
class RenderTrainer {
public:
    explicit RenderTrainer(const RenderTraining& training);
    ~RenderTrainer();

    /// One optimiser step; the loss.
    double step();
    [[nodiscard]] std::int64_t steps_done() const;

    /// With the averaged weights; `batches` of `held_out`.
    [[nodiscard]] RenderScore score(const RenderSampler& held_out, const portable::RenderSteps& steps,
                                    std::int64_t batches) const;

    void save_checkpoint(const std::string& path, const Settings& settings = {}) const;
    void load_checkpoint(const std::string& path, const Settings& settings = {});
    void save_model(const std::string& path, bool overwrite) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

[[nodiscard]] RenderScore score_render(const portable::RenderNet& net, const RenderSampler& held_out,
                                       const portable::RenderSteps& steps, std::int64_t batches);

}  // namespace omnisync::training
