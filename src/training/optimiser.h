// AdamW with clipped gradients, a cosine schedule and an exponential average of the weights.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include "weights/parameters.h"

namespace omnisync::training {

class Peers;

struct OptimiserConfig {
    double learning_rate = 1e-3;  ///< at its highest
    std::int64_t warm_up = 200;   ///< steps
    std::int64_t steps = 1000;    ///< the cosine ends here, at 0
    double weight_decay = 0.01;   ///< of matrices; vectors have none
    double clip = 1.0;            ///< largest norm of all gradients together
    double average = 0.999;       ///< of the exponential average of weights, after its own warm-up
};

/// Names and values, as a checkpoint keeps them of its run.
using Settings = std::map<std::string, std::string>;

/// Holds the state beside the parameters it is given; they become leaves that require gradients.
class Optimiser {
public:
    /// `fixed`: names of parameters that are not learned.
    Optimiser(const weights::Parameters& parameters, const OptimiserConfig& config,
              const std::vector<std::string>& fixed = {});

    /// One step from the gradients that backward() left, averaged with those of the run's other processes if there
    /// are any; clears them. Returns their norm before clipping. A step whose gradients are not finite changes nothing
    /// but the count.
    double step(Peers* peers = nullptr);
    [[nodiscard]] std::int64_t steps_done() const { return done_; }
    [[nodiscard]] double learning_rate() const;

    /// The averaged weights, fixed ones as they are, by name.
    [[nodiscard]] std::map<std::string, at::Tensor> averaged() const;
    [[nodiscard]] bool is_fixed(const std::string& name) const { return fixed_.contains(name); }

    /// For checkpoints: the state under "optimiser.", and back. Restoring throws Error(bad_data) when it does not fit.
    [[nodiscard]] std::map<std::string, at::Tensor> state() const;
    void restore(const std::map<std::string, at::Tensor>& state, const std::string& origin);

private:
    struct Slot {
        std::string name;
        at::Tensor value, first, second, average;
    };
    void share_gradients(Peers& peers) const;

    OptimiserConfig config_;
    std::vector<Slot> slots_;
    std::map<std::string, at::Tensor> fixed_;
    std::int64_t done_ = 0;
};

/// The averaged weights as a model's file of `format`: matrices in half precision (fixed ones only where that loses
/// nothing), vectors in single.
void save_weights(const Optimiser& optimiser, const std::string& format, const std::string& path, bool overwrite);

/// A checkpoint file: the optimiser's state, the run's `settings`, `format` to tell models apart. Replaces the file.
void save_state(const Optimiser& optimiser, const std::string& format, const Settings& settings,
                const std::string& path);
/// Throws Error: bad_data for another format or model; usage when the run had other settings.
void load_state(Optimiser& optimiser, const std::string& format, const Settings& settings, const std::string& path);

}  // namespace omnisync::training
